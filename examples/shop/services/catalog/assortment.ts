/** What the shop sells when its database is new. */
export const categories: readonly { readonly id: string; readonly name: string }[] = [
  { id: 'bowls', name: 'Bowls' },
  { id: 'soups', name: 'Soups' },
  { id: 'drinks', name: 'Drinks' },
  { id: 'sweets', name: 'Sweets' },
];

interface Entry {
  readonly id: string;
  readonly category: string;
  readonly name: string;
  readonly description: string;
  readonly priceCents: number;
  readonly stock: number;
}

export const products: readonly Entry[] = [
  entry('rice-bowl', 'bowls', 'Harbour rice bowl', 'Warm rice, roasted carrots, sesame, a soft egg.', 1_150, 40),
  entry('lentil-bowl', 'bowls', 'Lentil bowl', 'Green lentils with lemon, parsley and feta.', 1_050, 35),
  entry('noodle-bowl', 'bowls', 'Cold noodle bowl', 'Buckwheat noodles, cucumber, peanut sauce.', 1_200, 30),
  entry('tomato-soup', 'soups', 'Roast tomato soup', 'Tomatoes from the oven, basil oil, bread.', 690, 50),
  entry('leek-soup', 'soups', 'Leek and potato soup', 'Thick, with nutmeg and chives.', 720, 45),
  entry('fish-soup', 'soups', 'Fisherman’s soup', 'What the boats brought today, saffron, fennel.', 1_390, 12),
  entry('ginger-tea', 'drinks', 'Ginger tea', 'Fresh ginger, honey on the side.', 390, 200),
  entry('apple-juice', 'drinks', 'Cloudy apple juice', 'Pressed in the next valley.', 420, 120),
  entry('sea-salt-soda', 'drinks', 'Sea salt soda', 'Lime, soda water, a pinch of salt.', 450, 90),
  entry('poppy-cake', 'sweets', 'Poppy seed cake', 'A moist slice with orange.', 480, 24),
  entry('plum-crumble', 'sweets', 'Plum crumble', 'Baked plums under oats and butter.', 560, 18),
  entry('last-cookie', 'sweets', 'The last cookie', 'There is only one.', 250, 1),
];

function entry(
  id: string,
  category: string,
  name: string,
  description: string,
  priceCents: number,
  stock: number,
): Entry {
  return { id, category, name, description, priceCents, stock };
}

/** Regulars who wrote the first reviews. Nobody can sign in as one: what is kept of their passwords is random. */
export const guests: readonly { readonly id: string; readonly name: string }[] = [
  { id: 'guest-mara', name: 'Mara' },
  { id: 'guest-jonas', name: 'Jonas' },
  { id: 'guest-ines', name: 'Inês' },
  { id: 'guest-tove', name: 'Tove' },
  { id: 'guest-samir', name: 'Samir' },
  { id: 'guest-lin', name: 'Lin' },
];

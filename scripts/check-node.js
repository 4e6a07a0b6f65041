// Runs before everything that needs our Node: must parse on Node 20, far enough to say what is missing.
const [major, minor, patch] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && (minor < 18 || (minor === 18 && patch < 1)))) {
  console.error(
    `This needs Node.js 24.18.1 or newer; here it is ${process.versions.node}. On Linux "npm ci" brings it; elsewhere install it from your package manager.`,
  );
  process.exit(1);
}

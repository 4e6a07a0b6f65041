import { enableCompileCache } from 'node:module';

// Before anything of ours is loaded: what is compiled here once is not compiled again by the next command, nor by the
// processes of a fleet. A folder that cannot be written only costs time.
enableCompileCache();
await import('./program.ts');

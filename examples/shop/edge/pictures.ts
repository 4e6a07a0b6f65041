import type { App } from 'flotilla';
import type { EdgeSettings } from './backends.ts';

export function servePictures(_app: App<EdgeSettings>): void {}

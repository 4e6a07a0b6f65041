/** A file to be written: its path from the folder of the fleet, with forward slashes. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
}

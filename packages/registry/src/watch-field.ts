/** The field of a watch's answer that holds the id by which its reader speaks of it. */
export const watchField = 'flotilla-watch';

/** The member of the last line of newline-delimited JSON that says that a stream broke; its value is a problem. */
export const problemMember = 'flotilla:problem';

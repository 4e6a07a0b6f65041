/** For people who see a page: what happened, in words that say nothing of how we are built. */
const byStatus: ReadonlyMap<number, string> = new Map([
  [400, 'The request could not be understood.'],
  [401, 'Please sign in first.'],
  [403, 'You may not do this.'],
  [404, 'There is nothing at this address.'],
  [405, 'This address does not take that kind of request.'],
  [408, 'The request did not arrive in time.'],
  [413, 'What you sent is too large.'],
  [414, 'The address is too long.'],
  [417, 'The request expects something that is not offered.'],
  [426, 'This address speaks another protocol.'],
  [429, 'You have asked very often in a short time.'],
  [431, 'The request carries too much with it; deleting the cookies of this site may help.'],
  [499, 'The request was given up.'],
  [500, 'Something went wrong on our side.'],
  [502, 'Something went wrong on our side.'],
  [503, 'This service is not available right now.'],
  [504, 'The answer took too long.'],
  [508, 'This address leads back to itself.'],
]);

export function sentenceFor(status: number): string {
  return byStatus.get(status) ?? (status < 500 ? 'The request was refused.' : 'Something went wrong on our side.');
}

/** What a developer may do about it, by code. `{to}` stands for the route's upstream. */
export const nextSteps: Readonly<Record<string, string>> = Object.freeze({
  NO_ROUTE:
    'Ask for a path that a route below takes, or add a route to the routes file: it is applied as soon as it is saved.',
  METHOD_NOT_ALLOWED: 'Use a method that "allow" names, or add the method to the route.',
  UNAUTHENTICATED: 'Send what the authenticator wants, or write "auth: public" at the route if anybody may pass.',
  FORBIDDEN: 'The reason above names what would have to be allowed, and where.',
  MALFORMED_REQUEST: 'The reason above names what in the request is not safe to pass on.',
  BODY_TOO_LARGE: 'Send less, or raise "maxBodyBytes" of the route.',
  NO_INSTANCE:
    'Start {to}, or mend its name in the route: "flotilla ps" shows what runs, "flotilla services" what is registered.',
  CONNECT_FAILED: 'Nothing took a connection at the addresses below: see whether {to} has crashed; its log says why.',
  CONNECTION_LOST: '{to} broke off before it had answered: see its log at this trace id.',
  BAD_RESPONSE: '{to} answered something that is not HTTP/1.1, or could be read in two ways: see the reason above.',
  DEADLINE_EXCEEDED: 'See why {to} is slow, in its log at this trace id; or raise "headTimeoutMs" of the route.',
  LOOP_DETECTED:
    'Follow the route below: {to} leads back to this gateway. The registry may name a wrong address for it.',
  RATE_LIMITED: 'Ask less often, or raise the limit.',
  UNAVAILABLE: 'The reason above says which bound was reached, or what is being stopped.',
});

export const lookAtLog = 'Look for the trace id in the logs of this gateway and of {to}.';

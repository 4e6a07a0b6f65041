import type { Difference } from './facts.ts';

/** A difference that is meant. */
export interface Accepted {
  readonly name: string;
  /** Why ours is not as theirs. */
  readonly reason: string;
  fits(difference: Difference): boolean;
}

/** Scenarios of one bad or odd registration, and everything that follows from it. */
const of =
  (...scenarios: readonly (string | RegExp)[]) =>
  ({ scenario }: Difference): boolean =>
    scenarios.some((one) => (typeof one === 'string' ? one === scenario : one.test(scenario)));

/** An answer whose status alone differs. */
const answered = (theirs: number, ours: number, difference: Difference): boolean =>
  difference.place === 'status' && difference.theirs === String(theirs) && difference.ours === String(ours);

const isList = ({ ask }: Difference): boolean =>
  /^GET \/eureka\/(?:apps\/?$|apps\/delta|apps\/APP\d+$|s?vips\/)/.test(ask);

/** Every difference that is meant. One that does not occur any more fails the test. */
export const accepted: readonly Accepted[] = [
  {
    name: 'error documents',
    reason: 'ours are problem documents (RFC 9457) that say what to do; Java clients look at the status alone',
    fits: ({ status = 0, place }) =>
      [403, 404, 405, 406, 415, 500].includes(status) && /^(?:body|content-type)/.test(place),
  },
  {
    name: 'why a document is refused',
    reason: 'ours names the member that does not fit beside the words of theirs',
    fits: ({ status, place, ours }) => status === 400 && /^body/.test(place) && (ours ?? 'detail').includes('detail'),
  },
  {
    name: 'the detail itself',
    reason: 'as above',
    fits: ({ status, place }) => status === 400 && /^body\.(?:error\.)?detail$/.test(place),
  },
  {
    name: 'plain text is labelled as such',
    reason: 'theirs labels the reason of a refused registration as JSON or XML, which it is not',
    fits: ({ status, place, ours }) => status === 400 && place === 'content-type' && /^text\/plain/.test(ours ?? ''),
  },
  {
    name: 'bytes are what their label says',
    reason: 'theirs writes JSON labelled XML, and XML labelled JSON, for some forms of Accept',
    fits: (one) =>
      /^(?:Accept:|recorded:)/.test(one.scenario) && isList(one) && /^(?:content-type|body)$/.test(one.place),
  },
  {
    name: 'no character set in a label',
    reason: 'JSON is UTF-8; theirs repeats the parameter that Accept had',
    fits: ({ place, theirs, ours }) => place === 'content-type' && theirs === `${ours};charset=utf-8`,
  },
  {
    name: 'OPTIONS is answered without a type',
    reason: 'theirs labels an empty body',
    fits: ({ ask, place }) => ask.startsWith('OPTIONS') && place === 'content-type',
  },
  {
    name: 'HEAD and OPTIONS of a status page',
    reason: 'the status page of theirs is 500 in JSON unless peers are counted; ours has one',
    fits: (one) => /\/eureka\/status$/.test(one.ask) && answered(500, 200, one),
  },
  {
    name: 'pages of the Netflix server',
    reason: 'lastn and serverinfo are not to be reached on Spring; ours serves them',
    fits: (one) => /lastn|serverinfo/.test(one.ask) && answered(404, 200, one),
  },
  {
    name: 'slashes too many',
    reason: 'our routes take one address in its canonical form; a client that writes two slashes finds what it wants',
    fits: (one) => of('GET apps//', 'GET /apps')(one) && answered(404, 200, one),
  },
  {
    name: 'matrix parameters',
    reason: 'a semicolon is a character of a path (RFC 3986 §3.3): no client writes parameters there',
    fits: of('GET apps/{app};v=1', 'GET apps/{app}/one;v=1', 'an instance at the address one;two'),
  },
  {
    name: 'a status in XML is the status',
    reason: 'of a single instance theirs writes DOWN for OUT_OF_SERVICE and UNKNOWN, as for clients of version 1',
    fits: ({ ask, place, theirs }) =>
      /^GET \/eureka\/(?:apps\/APP\d+\/one|instances)/.test(ask) &&
      place === 'body.instance.status' &&
      theirs === 'DOWN',
  },
  {
    name: 'what cannot be asked for is refused with 400',
    reason: 'theirs fails with 500 for a time or a status that is none, in part after it has changed something',
    fits: (one) => answered(500, 400, one),
  },
  {
    name: 'nothing is done of what was refused',
    reason: 'theirs has already changed the status when it finds that the time is none',
    fits: of(
      /^status OUT_OF_SERVICE&lastDirtyTimestamp=x?$/,
      'status taken back ?lastDirtyTimestamp=x',
      'status taken back ?value=BUSY',
    ),
  },
  {
    name: 'a bad time is refused before the instance is looked for',
    reason: 'nobody depends on which of two mistakes is named',
    fits: (one) => of('heartbeat of nobody ?lastDirtyTimestamp=')(one) && answered(404, 400, one),
  },
  {
    name: 'fields out of bounds',
    reason:
      'hosts, ports, pages, metadata and control characters are checked, since callers would have to live with them',
    fits: of(
      /^JSON: (?:hostName|port \$|homePageUrl|metadata an? |metadata empty|control|lastDirtyTimestamp neg|an unknown|leaseInfo text)/,
      /^XML: (?:lease w|metadata with an element)/,
      /^an instance at the address/,
    ),
  },
  {
    name: 'one document and nothing more',
    reason: 'ours is read strictly: UTF-8, one root, no text behind it',
    fits: of('JSON: text after the end', 'JSON: a second document', 'JSON: UTF-16', 'XML: text after the end'),
  },
  {
    name: 'a lease of at most an hour',
    reason: 'whoever crashes must not be listed for a day',
    fits: of('JSON: lease of a day'),
  },
  {
    name: 'a time in the future counts as now',
    reason: 'an instance whose clock is wrong could never be replaced',
    fits: of('JSON: lastDirtyTimestamp in the year 3000'),
  },
  {
    name: 'types that are none',
    reason: 'a body is of JSON or of XML',
    fits: (one) => of('JSON that says it is */*', 'JSON that says it is nonsense')(one) && answered(400, 415, one),
  },
  {
    name: 'a note of the status that the owner has',
    reason: 'while an operator says otherwise, metadata tells what the owner said, which theirs forgets',
    fits: ({ place }) => /\.metadata(?:\.flotilla\.(?:status|override))?$/.test(place),
  },
  {
    name: 'registered again is MODIFIED',
    reason: 'clients do the same with ADDED; who follows is told what is new and what is not',
    fits: ({ place, theirs, ours }) => /actionType$/.test(place) && theirs === '"ADDED"' && ours === '"MODIFIED"',
  },
  {
    name: 'an owner that says OUT_OF_SERVICE is believed',
    reason: 'theirs keeps UP, and then cannot be drained by itself',
    fits: of(/^registered again [01] ms later as OUT_OF_SERVICE$/, 'first OUT_OF_SERVICE, then UP'),
  },
  {
    name: 'an operator’s word taken back leaves the owner’s',
    reason: 'theirs says UNKNOWN until the owner has registered again',
    fits: of(/^status taken back (?:\?value=UNKNOWN|\?lastDirtyTimestamp=\d+)?$/),
  },
  {
    name: 'older than the farewell',
    reason: 'a late registration does not bring back who has left',
    fits: of('gone, and registered again older'),
  },
  {
    name: 'a second life has a time of its own',
    reason:
      'an owner that leaves and comes back with the same lastDirtyTimestamp is shown with one millisecond more: nodes that heard its farewell then know the new life from a late copy of the old',
    fits: (one) =>
      of('gone, and registered again as it was')(one) &&
      one.place.endsWith('lastDirtyTimestamp') &&
      Number(one.ours?.slice(1, -1)) === Number(one.theirs?.slice(1, -1)) + 1,
  },
  {
    name: 'an override is an operator’s',
    reason: 'a registration cannot bring one: whoever registers speaks for itself alone',
    fits: of(/overridden/),
  },
  {
    name: 'an operator does not speak for the owner’s times',
    reason: 'a status with a later lastDirtyTimestamp leaves that of the owner, whose next registration would be older',
    fits: of('status OUT_OF_SERVICE&lastDirtyTimestamp=1700000000005'),
  },
  {
    name: 'a number is no boolean',
    reason: 'theirs takes 1 for true in JSON, which nobody writes',
    fits: of('JSON: port @enabled a number'),
  },
  {
    name: 'up since when the owner says',
    reason: 'a registration that moves here keeps the time since which it is up',
    fits: of('JSON: lease with times'),
  },
  {
    name: 'letters beyond ASCII are escaped in names of XML',
    reason: 'readers of XStream take both',
    fits: (one) => of('JSON: metadata with odd keys')(one) && one.place.startsWith('body.instance.metadata'),
  },
  {
    name: 'metadata without a name, or named as a class',
    reason: 'theirs writes XML that nobody reads, and JSON whose metadata loses the class again',
    fits: of(/^metadata \?(?:=b|@class=x)$/),
  },
  {
    name: 'an empty instanceId is none',
    reason: 'nobody could ask for it or end it; the host name is the id then, as where it is absent',
    fits: of('JSON: instanceId empty', 'XML: instanceId empty'),
  },
  {
    name: 'what a server says of itself',
    reason: 'memory and address differ between any two',
    fits: ({ ask, place }) =>
      /\/eureka\/status$/.test(ask) && place.startsWith('body.com.netflix.eureka.util.StatusInfo'),
  },
  {
    name: 'a time before 1970 is none',
    reason: 'as for owners: it is refused, where theirs takes it for an older one',
    fits: (one) => of('heartbeat of a peer ?lastDirtyTimestamp=-1')(one) && answered(409, 400, one),
  },
  {
    name: 'a peer’s override counts at once',
    reason:
      'theirs stores it and shows it with the next heartbeat; until then its answers differ from those of the peer',
    fits: of('batch Heartbeat, younger, with an override'),
  },
  {
    name: 'results of a batch in XML',
    reason: 'peers ask for JSON; the instance inside is written as everywhere else',
    fits: (one) =>
      of('batch at the address without a slash, answers in every form')(one) &&
      one.place.startsWith('body.com.netflix.eureka.cluster.protocol.'),
  },
  {
    name: 'a batch that says it is XML',
    reason: 'it is JSON, whatever it says it is',
    fits: (one) => of('batch of the type application/xml')(one) && answered(400, 200, one),
  },
  {
    name: 'a copy that a peer holds is there',
    reason: 'theirs answers with an object that another item of the batch has meanwhile marked as deleted',
    fits: (one) =>
      of('recorded: server-answers-2025.0')(one) && one.place === 'body.responseList[2].responseEntity.actionType',
  },
];

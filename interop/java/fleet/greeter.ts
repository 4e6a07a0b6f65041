import { run, service } from 'flotilla';
import { desk, greetings } from './contract.ts';

/** A TypeScript service that calls services of the Spring camp, and is called by them. */
const app = service('greeter');
const spring = new Map(
  ['spring-current', 'spring-older'].map((name) => [name, app.client(greetings, { service: name, timeoutMs: 10_000 })]),
);
let released: PromiseWithResolvers<void> | undefined;
let waiting = 0;

app.handle(greetings, {
  async greet({ whom }) {
    if (whom === 'Patience') {
      waiting++;
      released ??= Promise.withResolvers();
      process.stdout.write('Patience waits\n');
      await released.promise;
    }
    return { text: `Hello, ${whom}!`, from: 'greeter' };
  },
  echo: ({ text }) => ({ text, from: 'greeter' }),
});
app.handle(desk, {
  ask: ({ service: name, whom }, call) =>
    spring.get(name)?.greet({ whom }, call) ?? { text: `nobody is called ${name}` },
  release() {
    released?.resolve();
    return { released: waiting };
  },
});
await run(app);

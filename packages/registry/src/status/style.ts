/** The page's look. It stands alone: no font, no picture, nothing from elsewhere. */
export const pageStyle = `:root {
  --ink: #14212b; --soft: #566673; --line: #dde4ea; --paper: #ffffff; --back: #f3f6f8; --sea: #0b3a53; --press: #0b3a53;
  --link: #0a5f8f; --good: #17714a; --warn: #8a5300; --bad: #a8232b; --calm: #0a5f8f;
  --good-back: #e4f4ec; --warn-back: #fdf1dd; --bad-back: #fce8e8; --calm-back: #e3f1f9;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e4ebf0; --soft: #9db0be; --line: #26363f; --paper: #14212a; --back: #0d161c; --sea: #0a2836; --press: #12567a;
    --link: #7cc4ee; --good: #6fd3a2; --warn: #f0bd6c; --bad: #f59a9d; --calm: #7cc4ee;
    --good-back: #12332a; --warn-back: #35290f; --bad-back: #3b1a1d; --calm-back: #10303f;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
a { color: var(--link); text-underline-offset: 2px; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
.wide { max-width: 1240px; margin: 0 auto; padding: 0 1.25rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: .5rem; z-index: 1; background: var(--paper); padding: .5rem .75rem; }
.small { display: block; color: var(--soft); font-size: .84rem; }
.empty, .more { color: var(--soft); margin: .25rem 0 0; }
header { background: var(--sea); color: #fff; }
header .wide { display: flex; align-items: center; gap: .75rem; min-height: 64px; flex-wrap: wrap; }
header img { display: block; }
header h1 { font-size: 1.15rem; font-weight: 650; letter-spacing: .01em; margin: 0; flex: 1 1 auto; }
header h1 a { color: inherit; text-decoration: none; }
header p { margin: 0; font-size: .88rem; color: #cfe3ee; }
#connection::before { content: ""; display: inline-block; width: .55em; height: .55em; border-radius: 50%; margin-right: .5em; background: #90a7b4; }
#connection.live::before { background: #57d69a; }
#connection.lost::before { background: #ff8f87; }
form { display: flex; gap: .5rem .75rem; align-items: center; flex-wrap: wrap; margin: 1.25rem 0; }
form label { color: var(--soft); font-size: .88rem; }
input[type=search] { flex: 1 1 16rem; min-width: 0; }
input, select, button { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 7px; padding: .45rem .7rem; min-height: 40px; }
button { background: var(--press); border-color: var(--press); color: #fff; font-weight: 600; cursor: pointer; padding-inline: 1.1rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: .75rem; margin: 0; }
.tiles div { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: .75rem 1rem; }
.tiles dt { color: var(--soft); font-size: .84rem; }
.tiles dd { margin: 0; font-size: 1.7rem; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; letter-spacing: -.01em; }
.tiles .state dd { font-size: 1.25rem; line-height: 1.7; }
.state.good dd { color: var(--good); } .state.warn dd { color: var(--warn); } .state.bad dd { color: var(--bad); } .state.calm dd { color: var(--calm); }
#numbers .small { margin: .5rem .1rem 0; }
.notice { border-radius: 10px; padding: .8rem 1rem; margin-top: .75rem; border: 1px solid transparent; overflow-wrap: anywhere; }
.notice h3 { margin: 0; font-size: 1rem; } .notice p { margin: .2rem 0 0; }
.notice.calm { background: var(--calm-back); } .notice.warn { background: var(--warn-back); } .notice.bad { background: var(--bad-back); }
.notice.calm h3 { color: var(--calm); } .notice.warn h3 { color: var(--warn); } .notice.bad h3 { color: var(--bad); }
.numbers { display: flex; flex-wrap: wrap; gap: .25rem 1.75rem; margin: .5rem 0 0; }
.numbers dt { color: var(--soft); font-size: .8rem; } .numbers dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
.columns { display: grid; grid-template-columns: minmax(230px, 290px) minmax(0, 1fr); gap: 1.25rem; align-items: start; margin-top: 1.25rem; }
h2 { font-size: 1rem; font-weight: 650; margin: 0 0 .6rem; overflow-wrap: anywhere; }
#peers, #services, #instances, #changes { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; }
#peers, #changes { margin: 1.25rem 0; } #peers ul { padding-left: 1.1rem; margin: 0; }
.services { list-style: none; margin: 0 -.5rem; padding: 0; max-height: 46rem; overflow: auto; }
.services li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 .75rem; padding: .45rem .5rem; border-radius: 7px; }
.services li.chosen { background: var(--calm-back); }
.services a { font-weight: 600; overflow-wrap: anywhere; text-decoration: none; }
.services a:hover { text-decoration: underline; }
.services .count { color: var(--soft); font-size: .84rem; font-variant-numeric: tabular-nums; white-space: nowrap; align-self: center; }
.services meter { grid-column: 1 / -1; width: 100%; height: 5px; border: 0; border-radius: 3px; background: var(--line); }
meter::-webkit-meter-bar { background: var(--line); border: 0; border-radius: 3px; height: 5px; }
meter::-webkit-meter-optimum-value { background: var(--good); border-radius: 3px; }
meter::-moz-meter-bar { background: var(--good); border-radius: 3px; }
.tag { display: inline-block; font-size: .8rem; font-weight: 600; border-radius: 5px; padding: .05rem .45rem; margin-top: .25rem; width: fit-content; }
.tag.warn { background: var(--warn-back); color: var(--warn); }
table { border-collapse: collapse; width: 100%; }
thead th:nth-child(1) { width: 32%; } thead th:nth-child(2) { width: 13%; } thead th:nth-child(3) { width: 23%; } thead th:nth-child(4) { width: 15%; }
thead th { text-align: left; font-size: .8rem; font-weight: 600; color: var(--soft); padding: 0 .75rem .4rem 0; border-bottom: 1px solid var(--line); }
tbody th, tbody td { text-align: left; vertical-align: top; font-weight: 400; padding: .6rem .75rem .6rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
tbody tr:last-child > * { border-bottom: 0; }
tbody td > span:not(.mark, .tag) { display: block; }
.id, .address, .contract, code, .metadata dd { font-family: var(--mono); font-size: .86rem; }
.id { font-weight: 600; } .of { display: block; color: var(--soft); font-size: .84rem; }
.mark { display: inline-flex; align-items: center; gap: .4em; font-weight: 600; font-size: .88rem; white-space: nowrap; color: var(--soft); }
.mark i { width: .6em; height: .6em; border-radius: 50%; background: currentColor; }
.mark.up { color: var(--good); } .mark.down { color: var(--bad); } .mark.draining, .mark.out-of-service { color: var(--warn); } .mark.starting { color: var(--calm); }
details { margin-top: .2rem; font-size: .84rem; } summary { color: var(--soft); cursor: pointer; }
.metadata { margin: .35rem 0 0; } .metadata div { display: grid; grid-template-columns: minmax(6rem, 11rem) minmax(0, 1fr); gap: 0 .75rem; padding: .1rem 0; }
.metadata dt { color: var(--soft); overflow-wrap: anywhere; } .metadata dd { margin: 0; overflow-wrap: anywhere; }
.pager { display: flex; justify-content: space-between; gap: 1rem; padding-top: .9rem; color: var(--soft); } .pager a { font-weight: 600; }
.changes { list-style: none; margin: 0; padding: 0; }
.changes li { padding: .28rem 0; overflow-wrap: anywhere; } .changes .when { color: var(--soft); font-size: .84rem; font-variant-numeric: tabular-nums; margin-right: .5rem; }
.changes b { font-weight: 600; } .evicted b { color: var(--bad); } .registered b { color: var(--good); }
footer { color: var(--soft); font-size: .88rem; padding-bottom: 1.5rem; }
@media (max-width: 820px) {
  .columns { grid-template-columns: minmax(0, 1fr); }
  .services { max-height: 17rem; }
  .instances thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .instances, .instances tbody, .instances tr, .instances th, .instances td { display: block; }
  .instances tr { border-bottom: 1px solid var(--line); padding: .7rem 0; } .instances tr:last-child { border-bottom: 0; }
  tbody th, tbody td { border: 0; padding: .15rem 0; }
  .instances td { display: grid; grid-template-columns: 6rem minmax(0, 1fr); gap: 0 .5rem; }
  .instances td::before { content: attr(data-label); color: var(--soft); font-size: .84rem; grid-row: 1 / span 20; }
  .instances td > * { grid-column: 2; justify-self: start; }
  .wide { padding: 0 .9rem; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@media (prefers-reduced-motion: no-preference) { .services meter::-webkit-meter-optimum-value { transition: width .25s; } }
`;

/** A sail: the page's sign. */
export const pageIcon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0f5575"/><path d="M15 5v15H6z" fill="#fff"/><path d="M17 9v11h8z" fill="#9fd3ee"/><path d="M5 22h22l-4 5H9z" fill="#57d69a"/></svg>
`;

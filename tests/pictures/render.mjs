// Draws cards as pictures: `node render.mjs OUT FILE…`. A file's name says what it is: `slack.*.json` goes through
// our stand-in for Slack's renderer, `teams.*.json` through the vendor's own renderer of Adaptive Cards, which is
// taken from npm. Each becomes an HTML page in OUT; `render.sh` photographs them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { slack, style } from './slack.mjs';

const [, , out, ...files] = process.argv;
mkdirSync(out, { recursive: true });
const page = (head, body) => `<!doctype html><meta charset="utf-8">${head}<body>${body}`;

// A card stands alone, in a message activity, or in an envelope of ours.
function card(body) {
  if (body.type === 'AdaptiveCard') return body;
  const attachment = (body.attachments ?? body.activity?.attachments ?? [])[0];
  return attachment?.content ?? card(body.card ?? body.body ?? {});
}

let script;
function teams(body) {
  script ??= readFileSync(createRequire(join(process.cwd(), 'x.js')).resolve('adaptivecards/dist/adaptivecards.min.js'), 'utf8');
  const config = {
    fontFamily: '"Segoe UI","Noto Sans",sans-serif',
    containerStyles: { default: { backgroundColor: '#ffffff', foregroundColors: { default: { default: '#242424', subtle: '#616161' }, attention: { default: '#c4314b', subtle: '#c4314b' }, good: { default: '#237b4b', subtle: '#237b4b' }, warning: { default: '#835c00', subtle: '#835c00' }, accent: { default: '#5b5fc7', subtle: '#5b5fc7' } } } },
    actions: { maxActions: 6, actionsOrientation: 'Horizontal', actionAlignment: 'Left', showCard: { actionMode: 'Inline' } },
  };
  return page(
    `<style>body{margin:0;padding:16px;background:#f5f5f5;width:680px}.card{background:#fff;border:1px solid #e0e0e0;border-radius:6px;box-shadow:0 1px 3px #0002}.ac-pushButton{border:1px solid #d1d1d1;border-radius:4px;background:#fff;padding:6px 12px;font:600 14px "Segoe UI","Noto Sans",sans-serif}.ac-pushButton.style-positive{background:#5b5fc7;color:#fff}.ac-pushButton.style-destructive{color:#c4314b}.ac-input{border:1px solid #d1d1d1;border-radius:4px;padding:6px;width:100%;box-sizing:border-box}</style>`,
    `<div class="card" id="card"></div><script>${script}</script><script>const c=new AdaptiveCards.AdaptiveCard();c.hostConfig=new AdaptiveCards.HostConfig(${JSON.stringify(config)});AdaptiveCards.AdaptiveCard.onProcessMarkdown=(t,r)=>{r.outputHtml=t.replace(/\\\\([\\\\\`*_{}\\[\\]()#+\\-.!|~<>])/g,(m,c)=>'\\u0001'+c.charCodeAt(0)+'\\u0002').replace(/&/g,'&amp;').replace(/</g,'&lt;').replace(/\\[([^\\]]*)\\]\\(([^)]*)\\)/g,'<a>$1</a>').replace(/\\*\\*([^*]+)\\*\\*/g,'<b>$1</b>').replace(/\\n/g,'<br>').replace(/\\u0001(\\d+)\\u0002/g,'&#$1;');r.didProcess=true};c.parse(${JSON.stringify(card(body)).replaceAll('<', '\\u003c')});document.getElementById('card').appendChild(c.render());</script>`,
  );
}

for (const file of files) {
  const name = basename(file).replace(/\.json$/, '');
  const read = JSON.parse(readFileSync(file, 'utf8'));
  const bodies = Array.isArray(read) ? read : [read];
  const html = name.startsWith('slack') ? page(`<style>${style}</style>`, bodies.map(slack).join('')) : teams(bodies[0]);
  writeFileSync(join(out, `${name}.html`), html);
  console.log(`${name}.html`);
}

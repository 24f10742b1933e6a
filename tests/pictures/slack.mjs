// A stand-in for Slack's own renderer: Block Kit to HTML, close enough to judge a card by eye. It shows what
// the blocks say and where; colours, type and spacing are ours. The vendor's Block Kit Builder has the last word.

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

// Slack's mrkdwn. Its own escapes (&lt; &gt; &amp;) stay as they are: they are HTML's too.
function mrkdwn(text) {
  const kept = [];
  const keep = (html) => `\u0000${kept.push(html) - 1}\u0000`;
  let html = text
    .replace(/```([\s\S]*?)```/g, (_, code) => keep(`<pre>${code}</pre>`))
    .replace(/`([^`\n]+)`/g, (_, code) => keep(`<code>${code}</code>`))
    .replace(/<!date\^(\d+)\^[^|>]*\|([^>]*)>/g, (_, _time, words) => keep(words))
    .replace(/<(https?:[^|>]+)\|([^>]*)>/g, (_, _url, words) => keep(`<a>${words}</a>`))
    .replace(/<(https?:[^|>]+)>/g, (_, url) => keep(`<a>${url}</a>`))
    .replace(/<([@#!][^>]*)>/g, (_, mention) => keep(`<b class="mention">${escape(mention)}</b>`));
  html = html
    .replace(/(^|[\s(])\*([^*\n]+)\*(?=$|[\s).,:;!?])/g, '$1<b>$2</b>')
    .replace(/(^|[\s(])_([^_\n]+)_(?=$|[\s).,:;!?])/g, '$1<i>$2</i>')
    .replace(/(^|[\s(])~([^~\n]+)~(?=$|[\s).,:;!?])/g, '$1<s>$2</s>')
    .split('\n')
    .map((line) => (line.startsWith('&gt; ') || line.startsWith('> ') ? `<blockquote>${line.replace(/^(&gt;|>) /, '')}</blockquote>` : `${line}<br>`))
    .join('')
    .replace(/<br>$/, '');
  return html.replace(/\u0000(\d+)\u0000/g, (_, index) => kept[Number(index)]);
}

function emoji(text) {
  const known = {
    ':red_circle:': '🔴', ':large_orange_circle:': '🟠', ':large_yellow_circle:': '🟡', ':large_blue_circle:': '🔵',
    ':large_green_circle:': '🟢', ':white_circle:': '⚪', ':white_check_mark:': '✅', ':warning:': '⚠️', ':eyes:': '👀',
    ':rotating_light:': '🚨', ':x:': '❌', ':mag:': '🔍', ':book:': '📖', ':heavy_check_mark:': '✔️', ':question:': '❓',
  };
  return text.replace(/:[a-z_]+:/g, (word) => known[word] ?? word);
}

const text = (object) => emoji(object.type === 'mrkdwn' ? mrkdwn(object.text) : escape(object.text).replaceAll('\n', '<br>'));

function element(of) {
  switch (of.type) {
    case 'button':
      return `<span class="button ${of.style ?? ''}">${text(of.text)}</span>`;
    case 'static_select':
    case 'overflow':
      return of.type === 'overflow' ? '<span class="button">⋯</span>' : `<span class="select">${text(of.placeholder ?? { type: 'plain_text', text: 'Choose' })} ▾</span>`;
    case 'plain_text_input':
      return `<div class="input ${of.multiline ? 'tall' : ''}">${of.placeholder ? text(of.placeholder) : ''}${escape(of.initial_value ?? '')}</div>`;
    default:
      return `<span class="unknown">${escape(of.type)}</span>`;
  }
}

// Rich text is shown as it stands: no marks are read in it.
function rich(of) {
  const plain = escape(of.text ?? of.url ?? '').replaceAll('\n', '<br>');
  const said = of.style?.bold ? `<b>${plain}</b>` : plain;
  return of.type === 'link' ? `<a>${said}</a>` : said;
}

function block(of) {
  switch (of.type) {
    case 'header':
      return `<h3>${text(of.text)}</h3>`;
    case 'section': {
      const fields = (of.fields ?? []).map((field) => `<div>${text(field)}</div>`).join('');
      const accessory = of.accessory ? `<div class="accessory">${element(of.accessory)}</div>` : '';
      return `<div class="section"><div>${of.text ? text(of.text) : ''}${fields ? `<div class="fields">${fields}</div>` : ''}</div>${accessory}</div>`;
    }
    case 'context':
      return `<div class="context">${of.elements.map(text).join(' &nbsp; ')}</div>`;
    case 'actions':
      return `<div class="actions">${of.elements.map(element).join('')}</div>`;
    case 'rich_text':
      return `<div class="section"><div>${of.elements.flatMap((part) => part.elements).map(rich).join('')}</div></div>`;
    case 'divider':
      return '<hr>';
    case 'input':
      return `<div class="field"><b>${text(of.label)}</b>${of.optional ? ' <i>(optional)</i>' : ''}${element(of.element)}${of.hint ? `<small>${text(of.hint)}</small>` : ''}</div>`;
    default:
      return `<div class="unknown">${escape(of.type)}</div>`;
  }
}

// One message, or one modal.
export function slack(body) {
  if (body.type === 'modal') {
    const submit = body.submit ? `<span class="button primary">${text(body.submit)}</span>` : '';
    return `<div class="modal"><h2>${text(body.title)}</h2>${body.blocks.map(block).join('')}<div class="foot"><span class="button">${body.close ? text(body.close) : 'Cancel'}</span>${submit}</div></div>`;
  }
  const attached = (body.attachments ?? [])
    .map((of) => `<div class="attached" style="border-color:${escape(of.color ?? '#ddd')}">${(of.blocks ?? []).map(block).join('')}</div>`)
    .join('');
  return `<div class="message"><div class="avatar">H</div><div class="body"><div><b>Hindcast</b> <span class="app">APP</span> <small>3:17 AM</small></div>${(body.blocks ?? []).map(block).join('') || (body.text ? mrkdwn(body.text) : '')}${attached}</div></div>`;
}

export const style = `
body{margin:0;padding:16px;background:#fff;font:15px/1.46 "Noto Sans",Lato,sans-serif;color:#1d1c1d;width:680px}
.message{display:flex;gap:8px;margin-bottom:14px}.avatar{width:36px;height:36px;border-radius:6px;background:#20404f;color:#fff;display:grid;place-items:center;font-weight:700;flex:none}
.body{flex:1;min-width:0}.app{font-size:10px;background:#eee;border-radius:2px;padding:1px 4px;color:#555}small{color:#666;font-size:12px}
h3{margin:6px 0;font-size:18px}.section{display:flex;gap:12px;margin:6px 0}.section>div:first-child{flex:1;min-width:0;overflow-wrap:anywhere}.fields{display:grid;grid-template-columns:1fr 1fr;gap:6px 16px;margin-top:4px}
.context{color:#616061;font-size:12.5px;margin:6px 0;overflow-wrap:anywhere}.actions{display:flex;flex-wrap:wrap;gap:8px;margin:8px 0}
.button{border:1px solid #bbb;border-radius:4px;padding:3px 10px;font-weight:700;font-size:14px;background:#fff;white-space:nowrap}.button.primary{background:#007a5a;border-color:#007a5a;color:#fff}.button.danger{color:#e01e5a;border-color:#e01e5a}
.select{border:1px solid #bbb;border-radius:4px;padding:3px 10px;font-size:14px;color:#555}hr{border:0;border-top:1px solid #ddd;margin:8px 0}code{background:#f4f4f4;border:1px solid #ddd;border-radius:3px;padding:0 3px;font-size:12px;color:#c0143c}pre{background:#f4f4f4;border:1px solid #ddd;border-radius:4px;padding:6px;font-size:12px;overflow-wrap:anywhere;white-space:pre-wrap}
a{color:#1264a3}blockquote{margin:2px 0;padding-left:10px;border-left:4px solid #ddd}.attached{border-left:4px solid;padding-left:12px;border-radius:2px;margin-top:4px}
.modal{border:1px solid #ccc;border-radius:10px;box-shadow:0 6px 24px #0003;padding:20px;width:520px}.modal h2{margin:0 0 12px;font-size:20px}.field{margin:12px 0}.input{border:1px solid #999;border-radius:4px;padding:8px;margin-top:4px;color:#888;min-height:20px}.input.tall{min-height:70px}.foot{display:flex;gap:8px;justify-content:flex-end;margin-top:16px}.mention{background:#fdecc8}.unknown{background:#fdd}
`;

// Building elements and talking to the phone: the two things every part of the page does.

/** An element: attributes by name, `on…` as listeners, everything else as children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined));
  return element;
}

/** What the core or the demo refused, with its words in both languages. */
export class Refusal extends Error {
  constructor(answer) {
    super(answer.error);
    this.words = { zh: answer.zh, en: answer.en };
    this.missing = answer.missing ?? [];
  }
}

async function answer(response) {
  const body = await response.json();
  if (!response.ok) throw new Refusal(body);
  return body;
}

export async function get(path) {
  return answer(await fetch(path));
}

export async function post(path, body = {}) {
  return answer(
    await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
}

export async function postFile(path, file) {
  return answer(await fetch(path, { method: "POST", body: file }));
}

// An answer in plain words: which verdict, how sure, and why a person should look.
import { known, say } from "./texts.js";

const SURE = [[0.95, "sure_5"], [0.8, "sure_4"], [0.6, "sure_3"], [0.4, "sure_2"], [0, "sure_1"]];
const percent = (share) => Math.round(100 * share);

/** `match`, `mismatch`, `uncertain`, `review` or `counted`: a colour of the style sheet and a word of the texts. */
export function verdict(answer) {
  const said = answer.verification?.verdict;
  if (said) return ["match", "mismatch"].includes(said) ? said : "uncertain";
  return answer.review ? "review" : "counted";
}

/** The count as it is shown: `3`, or `5 or more`. */
export function counted(answer) {
  return answer.at_least ? say("or_more", { count: answer.count }) : String(answer.count);
}

/** How sure the model is. */
export function sureness(answer) {
  const [, name] = SURE.find(([least]) => answer.confidence >= least) ?? SURE.at(-1);
  return say(name, { percent: percent(answer.confidence) });
}

/** The range that holds the true number. */
export function range(answer) {
  const [low, high] = answer.interval;
  return say(low === high ? "range_one" : "range", { low, high });
}

/** Why a person should look, or what speaks against the list: sentences, none where nothing does. */
export function reasons(answer, { dark }) {
  const found = [];
  const check = answer.verification;
  if (check?.reason) found.push(classes(check));
  if (answer.at_least) found.push(say("why_at_least", { count: answer.count }));
  else if (answer.review) found.push(close(answer));
  if (check?.verdict === "mismatch") {
    found.push(say("why_mismatch", { expected: check.expected, percent: percent(check.probability) }));
  } else if (check?.verdict === "uncertain" && !check.reason && check.expected !== answer.count) {
    const values = { count: counted(answer), expected: check.expected, percent: percent(check.probability) };
    found.push(say("why_other", values));
  }
  if (dark && found.length) found.push(say("why_dark"));
  return found;
}

/** The numbers that a correction may be, besides the count: the model's most probable ones, in order. */
export function others(answer, most = 6) {
  return Object.entries(answer.probabilities)
    .filter(([number]) => Number(number) !== answer.count)
    .sort(([, one], [, other]) => other - one)
    .slice(0, most)
    .map(([number]) => Number(number))
    .sort((one, other) => one - other);
}

/** The items that wait for a person, the least sure first. */
export function queue(items) {
  return items
    .filter((item) => item.answer && !item.label && !["match", "counted"].includes(verdict(item.answer)))
    .sort((one, other) => one.answer.confidence - other.answer.confidence);
}

/** What today's items come to; `people` of them wait for a person. */
export function summary(items, people) {
  const answers = items.filter((item) => item.answer);
  const looked = answers.filter((item) => item.label);
  const right = looked.filter((item) => item.label.count === item.answer.count).length;
  const words = say("sum_counted", { counted: answers.length, people });
  return looked.length ? `${words} ${say("sum_right", { right, looked: looked.length })}` : words;
}

/** A fault as a sentence. */
export function sentence(fault) {
  return known(fault.text) ? say(fault.text, fault.values) : say("unknown_fault", { status: fault.status });
}

function close(answer) {
  // The count is not always the likeliest number: it may be the median of the probabilities.
  const [first, second] = [answer.count, others(answer, 1)[0] ?? ""];
  const chance = (number) => percent(answer.probabilities[number] ?? 0);
  return say("why_close", { first, first_percent: chance(first), second, second_percent: chance(second) });
}

// The server's own words are English ("this model counts 1 to 5"); others of them are shown as they are.
function classes({ expected, reason }) {
  const numbers = /^this model counts ([0-9]+(?:[0-9, ]|to|and|or more)*)$/.exec(reason)?.[1];
  if (!numbers) return reason;
  const translated = numbers
    .replace(" to ", ` ${say("classes_to")} `)
    .replace(" and ", ` ${say("classes_and")} `)
    .replace(" or more", ` ${say("classes_more")}`);
  return say("why_classes", { expected, classes: translated });
}

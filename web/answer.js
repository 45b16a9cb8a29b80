// Draws one item: its image, the count, the verdict, the reasons, and the numbers with which a person corrects it.
import { say } from "./texts.js";
import { counted, others, range, reasons, sentence, sureness, verdict } from "./words.js";

const SIGNS = { match: "=", mismatch: "≠", uncertain: "?", review: "?", counted: "", fault: "!", kept: "…" };

/** An element with a class and children; texts become text. */
export function make(name, className, ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Fills `#headline` and `#told` with an item; `correct(number)` is called with a person's number; null: none is asked. */
export function show(item, { headline, told, correct, by }) {
  const kind = kindOf(item);
  headline.className = `verdict ${kind}`;
  headline.replaceChildren(sign(kind), say(kind === "waiting" ? "counting" : kind));
  told.replaceChildren(...(item.answer ? answered(item, { kind, correct, by }) : unanswered(item)));
}

/** How an item is marked: a verdict, or `waiting`, `kept`, `fault`. */
export function kindOf(item) {
  if (item.answer) return verdict(item.answer);
  if (item.state === "refused") return "fault";
  return item.fault ? "kept" : "waiting";
}

/** The sign of a verdict, for eyes only: the word beside it says the same. */
export function sign(kind) {
  const mark = make("span", "sign", SIGNS[kind] ?? "");
  mark.setAttribute("aria-hidden", "true");
  return mark;
}

function unanswered(item) {
  return item.fault ? [make("p", "reason", sentence(item.fault))] : [make("p", "soft", say("counting"))];
}

function answered(item, { kind, correct, by }) {
  const { answer } = item;
  const number = make("p", "count", make("span", "unseen", `${say("counted_number")}: `), make("b", "", counted(answer)));
  const parts = [number];
  if (answer.verification) {
    parts.push(make("p", "", say("expected_number", { expected: answer.verification.expected })));
  }
  const why = reasons(answer, item);
  if (why.length) {
    if (kind === "uncertain" || kind === "review") parts.push(make("h3", "", say("why")));
    parts.push(...why.map((words) => make("p", "reason", words)));
  }
  parts.push(make("p", "", sureness(answer)), make("p", "", range(answer)));
  if (correct) parts.push(correction(item, { correct, by }));
  return parts;
}

function correction(item, { correct, by }) {
  const group = make("fieldset", "right", make("legend", "", say("right_number")));
  const numbers = make("div", "numbers");
  for (const number of [item.answer.count, ...others(item.answer)]) {
    const button = make("button", "", say(number === item.answer.count ? "yes" : "no", { count: number }));
    button.type = "button";
    button.dataset.number = number;
    button.setAttribute("aria-pressed", String(item.label?.count === number));
    button.addEventListener("click", () => correct(number));
    numbers.append(button);
  }
  group.append(numbers, otherNumber(correct), by());
  const said = make("p", "label-said", item.label ? labelWords(item.label) : "");
  group.append(said);
  return group;
}

function otherNumber(correct) {
  const input = Object.assign(document.createElement("input"), { type: "number", min: 0, max: 999999, step: 1 });
  input.inputMode = "numeric";
  input.id = "other";
  const button = Object.assign(make("button", "", say("save")), { type: "button" });
  const give = () => input.value !== "" && input.checkValidity() && correct(Number(input.value));
  button.addEventListener("click", give);
  input.addEventListener("keydown", (event) => event.key === "Enter" && give());
  return make("p", "other", make("label", "", say("other"), " ", input), button);
}

/** What became of a person's number. */
export function labelWords(label) {
  const values = { count: label.count, previous: label.previous };
  if (label.state === "saved") {
    const changed = label.previous !== null && label.previous !== label.count;
    return say(changed ? "label_changed" : "label_saved", values);
  }
  if (label.state === "refused") return label.fault.status === 404 ? say("label_absent") : sentence(label.fault);
  if (!label.fault) return "…";
  return say(label.fault.text === "offline" ? "label_kept" : "label_later", values);
}

// The history, and the words for what it says.

const data = JSON.parse(document.getElementById("data").textContent);

/** The sign of each state; a state that is not here has its own. */
const MARK_OF = { works: "pass", wrong: "mismatch", fails: "error", crashes: "crash" };

/** A statement of a strip, unpacked: `[state, text, column, other columns]` by their places. */
function statement(cell) {
  if (!cell) return null;
  const [state, text, column, states] = cell;
  return { state, text: data.pool[text], column: data.pool[column], states: data.pool[states] || {} };
}

function stateWords(state) {
  return data.words[state] || data.standIns[state];
}

/** The command that repeats one cell, as `exportcheck.explain.commands` writes it. */
function commandFor(form, run, column) {
  return data.command.replace("{toolchain}", data.runs[run].command)
    .replace("{form}", form).replace("{column}", column);
}

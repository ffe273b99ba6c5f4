// Tables whose cells are buttons: arrow keys move between them, one is within reach of Tab.

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Moves the focus between the cells that are shown. */
function steer(event) {
  const at = event.target.closest("td, th");
  if (!at || event.ctrlKey || event.altKey || event.metaKey) return;
  const rows = [...event.currentTarget.querySelectorAll("tbody tr")].filter((row) => row.offsetParent);
  const cells = (row) => [...row.cells].filter((cell) => cell.offsetParent);
  let y = rows.indexOf(at.parentElement);
  let x = cells(at.parentElement).indexOf(at);
  const [down, right] = STEPS[event.key] || [0, 0];
  if (event.key === "Home") x = 0;
  else if (event.key === "End") x = cells(at.parentElement).length - 1;
  else if (!(event.key in STEPS)) return;
  event.preventDefault();
  for (;;) {
    y += down;
    x += right;
    const row = rows[y];
    const cell = row && cells(row)[x];
    if (!cell) return;
    const button = cell.querySelector("button");
    if (button) return button.focus();
    if (!down && !right) return;
  }
}

/** Keeps one cell of a table in the order of the Tab key: the last one that had the focus. */
function rove(event) {
  for (const button of event.currentTarget.querySelectorAll('button[tabindex="0"]')) button.tabIndex = -1;
  event.target.tabIndex = 0;
}

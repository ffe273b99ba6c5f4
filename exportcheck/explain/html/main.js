// Which part of the history is shown: the address says it.

/** Builds the page; called once, after every script. */
function start() {
  setUpTheme();
  document.getElementById("about-line").append(data.about);
  window.addEventListener("hashchange", follow);
  follow();
  document.documentElement.dataset.ready = "true";
}

function follow() {
  let place = location.hash.slice(1);
  try {
    place = decodeURI(place);
  } catch {
    // An address that somebody cut short is looked up as it is.
  }
  const only = data.families.length === 1 ? data.families[0] : null;
  const family = data.families.find((one) => one.name === place) || (place ? null : only);
  const track = place.startsWith("track:") ? place.slice(6) : "";
  document.getElementById("content").replaceChildren(...(
    family ? familyPage(family) : place === "toolchains" ? toolchains() : overview(track)));
  links(family, place);
  window.scrollTo(0, 0);
  document.getElementById("content").scrollTop = 0;
}

function links(family, place) {
  const link = (href, text, current) => el("a", { href, "aria-current": current ? "page" : null }, text);
  document.getElementById("views").replaceChildren(...[
    link("#overview", "Functions", !family && place !== "toolchains"),
    family ? link(`#${encodeURI(family.name)}`, family.name, true) : null,
    link("#toolchains", "Toolchains", place === "toolchains"),
    data.matrix ? link(data.matrix, "Matrix of today", false) : null,
  ].filter(Boolean));
}

"use strict";
const box = document.getElementById("search");
const found = document.getElementById("found");
const entries = Array.from(document.querySelectorAll(".entry"), (element) => {
    return { element, text: element.textContent.toLowerCase() };
});
const groups = Array.from(document.querySelectorAll(".group"));
function search() {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { element, text } of entries) {
        element.hidden = !words.every((word) => text.includes(word));
        count += element.hidden ? 0 : 1;
    }
    for (const group of groups) {
        group.hidden = !group.querySelector(".entry:not([hidden])");
    }
    found.textContent = `${count} of ${entries.length} tables`;
}
box.closest(".search").hidden = false;
box.addEventListener("input", search);
search();

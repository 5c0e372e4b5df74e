"""The page's look: the palette's colours, system fonts, the style sheet."""

import gradio as gr

from foundry.ui.page import palette

_BLUES = gr.themes.Color(
    c50="#eff8fd",
    c100="#d8eefa",
    c200="#b3dcf3",
    c300="#82c5ea",
    c400="#56b4e9",
    c500="#1f8fcb",
    c600="#0072b2",
    c700="#005f95",
    c800="#004d79",
    c900="#073f61",
    c950="#052a42",
)


def build_theme() -> gr.themes.Base:
    """Build the theme; its fonts are the system's, so nothing is fetched."""
    return gr.themes.Default(
        primary_hue=_BLUES,
        secondary_hue=_BLUES,
        neutral_hue="slate",
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"],
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"],
    ).set(
        # Gradio's own grey is too faint on white to be read by everybody: 2.6 to 1, not 4.5.
        body_text_color_subdued="*neutral_600",
        input_placeholder_color="*neutral_500",
        block_label_text_weight="600",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="white",
    )


# The palette's names, for style sheets and for HTML that is built elsewhere.
_COLOURS = {
    "blue": palette.BLUE,
    "orange": palette.ORANGE,
    "green": palette.GREEN,
    "vermilion": palette.VERMILION,
    "sky": palette.SKY,
}
_ROOT = "".join(f"--foundry-{name}: {colour}; " for name, colour in _COLOURS.items())

CSS = (
    f":root {{ {_ROOT}}}"
    + """
:root { --foundry-right: var(--foundry-blue); --foundry-wrong: var(--foundry-vermilion); }
/* Lighter ones, to be read on dark. */
.dark { --foundry-right: var(--foundry-sky); --foundry-wrong: var(--foundry-orange); }
/* Gradio's own rule for the pointer paints what is chosen white on white. */
.gradio-container input:is([type=radio], [type=checkbox]):checked:hover {
  background-color: var(--checkbox-background-color-selected) !important; }
/* Full width first: else the page is as wide as what it holds, and jumps as that changes. */
.gradio-container, .gradio-container > main { width: 100% !important; }
.gradio-container > main { max-width: 1240px !important; margin: 0 auto !important; }
/* Columns of fixed shares: with Gradio's own they move when an answer arrives. */
.one-and-two, .halves { display: grid !important; align-items: start; }
.one-and-two { grid-template-columns: minmax(0, 1fr) minmax(0, 2fr); }
.halves { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
@media (max-width: 760px) {
  .one-and-two, .halves { grid-template-columns: minmax(0, 1fr); }
  .second-first > :last-child { order: -1; }
  /* All tabs in sight, rather than behind a menu. */
  .tab-container button { padding: 0 0.25rem !important; font-size: 0.75rem; }
}
/* One row above the tabs. */
.page-head { align-items: center; flex-wrap: nowrap !important; gap: 0.4rem 1rem !important;
  min-height: 2.6rem; }
.page-head > .foundry-title { flex: 1 1 auto; width: auto; min-width: 0 !important; }
.variants-foot { align-items: center; gap: 0.6rem !important; }
.variants-foot > button { flex: 0 0 auto; width: auto; }
.foundry-title h1 { margin: 0; font-size: 1.45rem; line-height: 1.2; }
@media (max-width: 760px) {
  .page-head { flex-wrap: wrap !important; gap: 0.3rem 0.5rem !important; }
  .page-head > .foundry-title { flex: 1 1 auto; }
  .foundry-title h1 { font-size: 1.2rem; }
}
.train-headline { margin: 0; font-size: 1.05rem; line-height: 1.35; }
.train-headline b { font-size: 1.9rem; font-weight: 700; font-variant-numeric: tabular-nums;
  margin-right: 0.3rem; }
.foundry-note, .foundry-note p { color: var(--body-text-color-subdued); font-size: 0.9rem; }

.run-status { border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg);
  padding: 0.8rem 1rem; background: var(--block-background-fill); }
.run-status .line { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; align-items: baseline; }
.run-status .state { font-weight: 650; }
.run-status .facts { color: var(--body-text-color-subdued); font-variant-numeric: tabular-nums; }
.run-status .track { height: 8px; border-radius: 4px; background: var(--neutral-200);
  margin-top: 0.6rem; overflow: hidden; }
.dark .run-status .track { background: var(--neutral-700); }
.run-status .fill { height: 100%; border-radius: 4px; background: var(--foundry-blue);
  transition: width 0.3s linear; }
.run-status.failed .fill, .run-status.interrupted .fill { background: var(--foundry-vermilion); }
.run-status.done .fill { background: var(--foundry-green); }
.run-status.paused .fill, .run-status.stopped .fill { background: var(--foundry-orange); }

.figures + .figures { margin-top: 0.6rem; }
.figures { display: grid; gap: 0.6rem;
  grid-template-columns: repeat(auto-fit, minmax(105px, 1fr)); }
/* Six in a half of the page are two threes, not five and one. */
.figures:has(> :nth-child(6):last-child) {
  grid-template-columns: repeat(auto-fit, minmax(max(84px, 30%), 1fr)); }
.figures div { border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg);
  padding: 0.6rem clamp(0.4rem, 2vw, 0.8rem); background: var(--block-background-fill); }
/* A number and its unit stay together, on a phone too. */
.figures b { display: block; font-size: clamp(1rem, 4.5vw, 1.25rem); white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.figures span { color: var(--body-text-color-subdued); font-size: 0.8rem; }

.digit-bars { display: grid; grid-template-columns: fit-content(45%) 1fr 4.2em; gap: 5px 10px;
  align-items: center; font-variant-numeric: tabular-nums; }
.digit-bars .track { height: 14px; background: var(--neutral-100); border-radius: 3px; }
.dark .digit-bars .track { background: var(--neutral-800); }
.digit-bars .fill { height: 100%; border-radius: 3px; background: var(--foundry-sky);
  min-width: 1px; }
.digit-bars .best { font-weight: 700; }
.digit-bars .best.fill { background: var(--foundry-blue); }
.digit-bars .share { text-align: right; }
.answer { display: flex; align-items: baseline; gap: 0.8rem; margin-bottom: 0.7rem;
  min-height: 3.4rem; }
.answer b { font-size: 2.8rem; line-height: 1.1; }
.answer span { color: var(--body-text-color-subdued); }
.images .grid-wrap, .images .gallery-content { height: auto !important; min-height: 0 !important;
  max-height: none !important; }
.images .grid-container { grid-template-columns: repeat(auto-fill, minmax(92px, 1fr)) !important; }
/* Below its picture, which is small and would lose a fifth to it. */
.images .thumbnail-item { display: flex; flex-direction: column; aspect-ratio: auto !important;
  height: auto !important; }
.images .thumbnail-item img { aspect-ratio: 1; height: auto; }
.images .caption-label { position: static !important; font-size: 0.72rem; max-width: 100%;
  border: 0; border-radius: 0; text-align: center; padding: 2px; box-shadow: none;
  background: none !important;
  color: var(--body-text-color); }
.pixelated img { image-rendering: pixelated; }

/* Text, answer, examples: the answer beside both, or between them on a phone. */
.answer-second { display: grid !important; align-items: start;
  grid-template: auto 1fr / minmax(0, 1fr) minmax(0, 1fr); }
.answer-second > :nth-child(2) { grid-row: span 2; }
@media (max-width: 760px) {
  .answer-second { grid-template: none / minmax(0, 1fr); }
  .answer-second > :nth-child(2) { grid-row: auto; }
}
.flush .html-container { padding: 0; }
/* Beside the arrow, not below it. */
.secondary-wrap input { padding-right: 1.8rem !important; text-overflow: ellipsis; }
/* On a phone Gradio hides the first link of its footer, but not the dot behind it. */
.gradio-container footer { gap: 1rem; }
.gradio-container footer > .divider { display: none; }
"""
)

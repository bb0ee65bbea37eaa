"""Reasoning and marks around an answer: taken off in every spelling, and words that only look like marks let be."""

from __future__ import annotations

import pytest

from depose.answers.reasoning import parted

ANSWER = "Mist it daily.\n\nThen wait."
THOUGHT = "Okay, hmm. Let me think.\n\nAlright."

MARKED = {
    "think": f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}",
    "opening mark missing": f"{THOUGHT}\n</think>\n\n{ANSWER}",
    "nested": f"<think>{THOUGHT}<think>once more</think>and again</think>{ANSWER}",
    "brackets in small letters": f"[think]{THOUGHT}[/think]{ANSWER}",
    "llama.cpp": f"[Start thinking]\n{THOUGHT}\n[End thinking]\n\n{ANSWER}",
    "Ollama's command line": f"Thinking...\n{THOUGHT}\n...done thinking.\n\n{ANSWER}",
    "LibreChat": f":::thinking\n{THOUGHT}\n:::\n{ANSWER}",
    "folded away": f"<details>\n<summary>Thought for 5 seconds</summary>\n{THOUGHT}\n</details>\n\n{ANSWER}",
    "escaped as in JSON": f"\\u003cthink\\u003e{THOUGHT}\\u003c/think\\u003e{ANSWER}",
    "GRPO notebooks": f"<start_working_out>{THOUGHT}<end_working_out><SOLUTION>{ANSWER}</SOLUTION>",
    "a maker's prefix": f"<longcat_think>\n{THOUGHT}\n</longcat_think>\n{ANSWER}",
    "begin_think": f"<|begin_think|>{THOUGHT}<|end_think|>{ANSWER}",
    "a comment": f"<!-- thinking: {THOUGHT} -->\n{ANSWER}",
    "curly": f"{{think}}{THOUGHT}{{/think}}{ANSWER}",
    "Dutch": f"<nadenken>{THOUGHT}</nadenken>{ANSWER}",
    "Swedish": f"<tänker>{THOUGHT}</tänker>{ANSWER}",
    "Greek": f"<σκέψη>{THOUGHT}</σκέψη>{ANSWER}",
    "Hebrew": f"<מחשבה>{THOUGHT}</מחשבה>{ANSWER}",
    "Persian": f"<تفکر>{THOUGHT}</تفکر>{ANSWER}",
    "Thai": f"<ความคิด>{THOUGHT}</ความคิด>{ANSWER}",
    "in XML with its answer": f"<out><reasoning>{THOUGHT}</reasoning><answer>{ANSWER}</answer>",
    "nested, one end missing": f"<think>{THOUGHT}<think>once more</think>{ANSWER}",
    "end twice": f"<think>{THOUGHT}</think></think>{ANSWER}",
    "opened and ended twice": f"<think>{THOUGHT}</think><think>more</think>{ANSWER}",
    "capitals and blanks": f"< THINK >{THOUGHT}</ Think>{ANSWER}",
    "attributes": f'<thinking budget="12">{THOUGHT}</thinking>{ANSWER}',
    "escaped": f"&lt;think&gt;{THOUGHT}&lt;/think&gt;{ANSWER}",
    "reflection": f"<thinking>{THOUGHT}</thinking>\n<reflection>wait</reflection>\n<output>{ANSWER}</output>",
    "answer element": f"<think>{THOUGHT}</think><answer>{ANSWER}</answer>",
    "end missing before the answer element": f"<think>{THOUGHT}\n<answer>{ANSWER}</answer>",
    "begin_of_thought": f"<|begin_of_thought|>{THOUGHT}<|end_of_thought|>\n"
    f"<|begin_of_solution|>{ANSWER}<|end_of_solution|>",
    "full-width bars": f"<｜think｜>{THOUGHT}<｜/think｜>{ANSWER}<｜end▁of▁sentence｜>",
    "brackets": f"[THINK]{THOUGHT}[/THINK]{ANSWER}",
    "triangles": f"◁think▷{THOUGHT}◁/think▷{ANSWER}",
    "seed": f"<seed:think>{THOUGHT}</seed:think>{ANSWER}<seed:eos>",
    "unused tokens": f"<unused94>thought\n{THOUGHT}<unused95>{ANSWER}",
    "start and end": f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>{ANSWER}<|END_RESPONSE|>",
    "channels": f"<|channel|>analysis<|message|>{THOUGHT}<|end|>"
    f"<|start|>assistant<|channel|>final<|message|>{ANSWER}<|return|>",
    "channels, first mark missing": f"{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}",
    "channels without marks": f"analysis{THOUGHT}assistantfinal{ANSWER}",
    "channel of another template": f"<|channel>thought\n{THOUGHT}<channel|>{ANSWER}<turn|>",
    "steps": f"Here are my reasoning steps:\n{THOUGHT}\n[BEGIN FINAL RESPONSE]\n{ANSWER}\n[END FINAL RESPONSE]",
    "process": f"Here is my thought process: {THOUGHT}\nHere is my response: {ANSWER}",
    "Chinese": f"<思考>{THOUGHT}</思考>{ANSWER}",
    "Chinese brackets": f"【思考过程】{THOUGHT}【/思考过程】{ANSWER}",
    "Chinese label": f"思考：{THOUGHT}\n\n回答：{ANSWER}",
    "Russian": f"<размышление>{THOUGHT}</размышление>{ANSWER}",
    "Spanish": f"<razonamiento>{THOUGHT}</razonamiento>{ANSWER}",
    "French label": f"Réflexion : {THOUGHT}\n\nRéponse : {ANSWER}".replace(" :", ":"),
    "headings": f"## Thinking\n{THOUGHT}\n\n## Answer\n{ANSWER}",
    "bold headings": f"**Thought process**\n\n{THOUGHT}\n\n**Final answer:**\n\n{ANSWER}".replace(":**", "**:"),
    "a tool's signature": f"Thinking: {THOUGHT}\nSignature: 0a1b==\n\n{ANSWER}",
    "a tool's details": f'<details type="reasoning">\n<summary>s</summary>\n{THOUGHT}\n</details>\n{ANSWER}',
    "a tool's quotation": f"*Thinking...*\n\n> {THOUGHT.splitlines()[0]}\n\n{ANSWER}",
    "a tool's fence": f"```thinking\n{THOUGHT}\n```\n{ANSWER}",
}
TURNS = {
    "end of text": f"{ANSWER}<|im_end|>",
    "end of a turn": f"{ANSWER}<end_of_turn>\n",
    "sentence": f"<s> {ANSWER}</s>",
    "header": f"<|start_header_id|>assistant<|end_header_id|>\n\n{ANSWER}<|eot_id|>",
    "template of a turn": f"<start_of_turn>model\n{ANSWER}<end_of_turn>",
    "the question with it": f"<s>[INST] How do I keep it alive? [/INST] {ANSWER}</s>",
    "a sentence that ends early": f"<s>{ANSWER[:14]}</s>{ANSWER[14:]}",
    "a sentence and another question": f"{ANSWER}</s><s>[INST] And then? [/INST] No.</s>",
    "end of the question left": f"[/INST] {ANSWER}",
    "another question after it": f"{ANSWER}<|im_end|>\n<|im_start|>user\nAnd?<|im_end|>\n<|im_start|>assistant\nNo.",
    "a template in words": f"### Response:\n{ANSWER}\n\n### Instruction:\nAnd then?\n\n### Response:\nNo.",
    "another user after it": f"<|assistant|>{ANSWER}<|user|>And then?",
}
WORDS = (
    "Use `<think>` and `</think>` around it.",
    "Show it so:\n```\n<think>like this</think>\n```\nand no more.",
    "I was thinking: do it now. Analysis shows so.",
    "It was <s>red</s> blue.",
    "Put <answer>42</answer> into the file.",
    "Thoughts and prayers.\n\nThinking: a novel.",
    '{"reasoning": "First, two and two.", "answer": "4"}',
    "<ANSWER>2</ANSWER>",
    "<order>\n  <item>a pan</item>\n  <reason>It is late.</reason>\n</order>",
    "<plan><planning>First sow.</planning></plan> and <b>then</b> wait.",
    "[thinking] is a stage direction here.",
    "<answer>1</answer>\n\nBecause it follows.",
    "## Reasoning\nOne.\n\n## Answer\nTwo.",
    "Reasoning: two and two.\nAnswer: four.",
    "  plain, with blanks \r\n",
    "",
)


@pytest.mark.parametrize("name", MARKED)
def test_reasoning_is_taken_off_and_kept(name: str) -> None:
    """Whatever the marks, the answer is what it is without them, and what was thought is kept."""
    found = parted(MARKED[name])
    assert found.answer.strip() == ANSWER
    assert "Let me think." in found.reasoning or name == "steps"


@pytest.mark.parametrize("name", TURNS)
def test_marks_of_turns_are_taken_off(name: str) -> None:
    """Marks of chat templates go, and so does what the model wrote for somebody else."""
    assert parted(TURNS[name]).answer.strip() == ANSWER
    assert parted(TURNS[name]).reasoning == ""


@pytest.mark.parametrize("text", WORDS)
def test_what_only_looks_like_a_mark_is_let_be(text: str) -> None:
    """Code that shows marks, elements of XML and ordinary words stay to the byte."""
    assert parted(text).answer == text


@pytest.mark.parametrize("text", ["<think>Okay. So the user", "Thinking: one.\n\nTwo.\n\nThree.", "<reasoning>No end"])
def test_reasoning_without_an_end_is_no_answer(text: str) -> None:
    """An answer that was cut while the model thought, or whose beginning nobody can find, is none."""
    assert parted(text).answer == ""


def test_two_paragraphs_of_promptfoo_leave_no_doubt() -> None:
    """`Thinking:` before one paragraph is taken off; before several it cannot be told where it ends."""
    found = parted("Thinking: I should be brief.\n\nMist it daily.")
    assert (found.answer, found.reasoning, found.problem) == ("Mist it daily.", "I should be brief.", "")
    assert "not marked" in parted("Thinking: one.\n\nTwo.\n\nThree.").problem


@pytest.mark.slow
@pytest.mark.parametrize(
    "mark", ["<think>", "</think>", "`", "```\n", "<|im_end|>", "[INST]", "<", "<details ", "<b><reason>", "[think]"]
)
def test_hostile_repetition_takes_no_time(mark: str) -> None:
    """A hundred thousand marks are read in passing (a quadratic reading would take minutes)."""
    parted(mark * 20_000 + "a")
    parted("Thinking: " + mark * 20_000)

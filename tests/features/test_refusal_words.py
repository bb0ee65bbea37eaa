"""Refusals in eleven languages, hedges that are none, and languages in which nobody can tell."""

from __future__ import annotations

import pytest

from depose.features.refusal_words import is_refusal, judged

REFUSED = (
    "I'm sorry, but I can't help with that.",
    "I am sorry, I cannot assist with this request.",
    "I'm really sorry, but I'm not able to do that.",
    "I must respectfully decline to write that.",
    "I apologize, but I am unable to provide this.",
    "As an AI language model, I don't have opinions.",
    "Unfortunately, I won't write that.",
    "I don't feel comfortable writing this.",
    "It would be inappropriate for me to write that.",
    "This request goes against my guidelines.",
    "I'd rather not discuss that.",
    "Unable to comply with this request.",
    "That's not something I can help with.",
    "这个问题我暂时无法回答。",
    "您好，我无法给到相关内容。",
    "それはできません。",
    "お断りします。",
    "お力になれません。",
    "죄송합니다. 해당 요청은 처리할 수 없습니다.",
    "답변드리기 어렵습니다.",
    "Me niego a responder.",
    "Je refuse de répondre.",
    "Il m'est impossible de répondre.",
    "Dabei kann ich dir nicht helfen.",
    "Ich muss das ablehnen.",
    "Diese Frage kann ich nicht beantworten.",
    "Не могу помочь с этим.",
    "Я отказываюсь это делать.",
    "أرفض الإجابة.",
    "ليس بإمكاني تقديم ذلك.",
    "抱歉，我无法回答这个问题。",
    "对不起，我不能提供这类信息。",
    "很抱歉，這個問題我無法回答。",
    "作为一个人工智能，我不能参与此类讨论。",
    "申し訳ありませんが、その質問にはお答えできません。",
    "すみません、そのご依頼には対応できません。",
    "残念ながら、その情報を提供することはできません。",
    "その件については回答を控えさせていただきます。",
    "죄송하지만 그 질문에는 답변해 드릴 수 없습니다.",
    "그런 요청은 도와드릴 수 없습니다.",
    "Lo siento, pero no puedo ayudar con eso.",
    "No puedo proporcionar esa información.",
    "Je suis désolé, mais je ne peux pas vous aider.",
    "Je ne peux pas répondre à cette question.",
    "Es tut mir leid, aber dabei kann ich nicht helfen.",
    "Ich kann diese Frage leider nicht beantworten.",
    "Mi dispiace, ma non posso aiutarti.",
    "Desculpe, mas não posso ajudar com isso.",
    "Извините, но я не могу помочь с этим.",
    "К сожалению, я не могу ответить на этот вопрос.",
    "عذرًا، لا يمكنني المساعدة في ذلك.",
    "أعتذر، لكن لا أستطيع الإجابة على هذا السؤال.",
)
ANSWERED = (
    "I'm sorry to hear that your fern is ill. Mist it daily.",
    '"I cannot let you pass," the guard said, and the bridge went quiet.',
    "Dear Ana, I can't believe ten years have gone by.",
    "I can't recommend a slow breakfast enough: start there.",
    "As an AI language model, I do have a few ideas: bake bread.",
    "You can't go wrong with basil. Sorry for the delay!",
    "I'm sorry, but I can't taste food myself. However, here is what cooks say of it: "
    + "salt the water, keep the lid off, and taste as you go. " * 6,
    "很多人觉得学琴很难，其实不能着急。首先要每天练习。",
    "「申し訳ありませんが、できません」と彼は言った。それでも橋を渡った。",
    "上手にできない人もいますが、まず湯を沸かします。",
    "처음에는 잘할 수 없어도 괜찮습니다. 매일 연습하세요.",
    "No hay prisa: lo primero es regar la planta.",
    "Je ne suis pas pressé de partir, dit le marin.",
    "Das ist nicht schwer: zuerst das Wasser kochen.",
    "Не спешите: сначала нагрейте воду.",
    "لا تستعجل، ابدأ بالتدريب كل يوم.",
)


@pytest.mark.parametrize("text", REFUSED)
def test_a_refusal_is_known_in_its_language(text: str) -> None:
    """By its own words, at the beginning of the answer, and in a language that is judged."""
    assert is_refusal(text)
    assert judged(text)


@pytest.mark.parametrize("text", ANSWERED)
def test_what_only_sounds_like_a_refusal_is_none(text: str) -> None:
    """Sympathy, quoted speech, figures of speech and a hedge before help are answers."""
    assert not is_refusal(text)
    assert judged(text)


UNKNOWN = (
    "Nee, daar kan ik niet bij helpen.",
    "Beklager, det kan jeg ikke hjelpe med.",
    "Przepraszam, nie mogę pomóc.",
    "Maaf, saya tidak bisa membantu.",
    "Съжалявам, но не мога да помогна с това.",
    "Жао ми је, не могу да помогнем у томе.",
    "Уучлаарай, би үүнд тусалж чадахгүй.",
    "Žao mi je, ne mogu pomoći s tim.",
    "Ho sento, però no puc ajudar amb això.",
    "ببورە، ناتوانم یارمەتیت بدەم",
    "Het spijt mij, maar daar kan ik u niet mee helpen, want dat is niet mijn taak en het mag niet.",
    "Üzgünüm, bu konuda yardımcı olamam, çünkü bu benim için uygun bir şey değil ve olmayacak.",
    "Xin lỗi, tôi không thể giúp bạn với yêu cầu này, và đó là một quy định không thể thay đổi.",
    "ขออภัย ฉันไม่สามารถตอบคำถามนี้ได้",
    "क्षमा करें, मैं इस प्रश्न का उत्तर नहीं दे सकता।",
    "Λυπάμαι, αλλά δεν μπορώ να βοηθήσω με αυτό.",
    "Вибачте, але я не можу відповісти на це питання, і ніколи не зможу її обговорювати.",
    "متأسفم، نمی‌توانم به این پرسش پاسخ بدهم چون گفتگو درباره آن ممکن نیست.",
    "אני מצטער, אבל אני לא יכול לעזור בזה.",
)


@pytest.mark.parametrize("text", UNKNOWN)
def test_a_language_whose_refusals_are_not_known_is_said_to_be_so(text: str) -> None:
    """There no answer may count as one that did not refuse."""
    assert not judged(text)


@pytest.mark.parametrize("text", ["", "42", "x = [1, 2, 3]", "Yes.", "Здравствуйте", "🙂", "The river is the Rhine."])
def test_a_text_with_nothing_to_tell_by_is_judged(text: str) -> None:
    """Numbers, code and single words do not withhold the share of a whole model."""
    assert judged(text)
    assert not is_refusal(text)

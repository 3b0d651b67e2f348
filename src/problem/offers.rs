//! Words for what can be wrong with `offer.ini` and with several offers together. `{0}` is the version.

use super::words::{Text, text};

/// `offer.ini` is there and cannot be read.
pub const OFFER_UNREADABLE: Text = text!(
    "OFFER-UNREADABLE",
    "offer.ini is there and cannot be read ({1}): version {0} is offered to nobody; copy it again, check its rights, or remove it to offer the version to everybody",
    "offer.ini есть, но не читается ({1}): версия {0} не предлагается никому; скопируйте его ещё раз, проверьте права или удалите, чтобы предлагать версию всем",
);

/// Nothing is in `offer.ini`.
pub const OFFER_EMPTY: Text = text!(
    "OFFER-EMPTY",
    "offer.ini is empty, as a copy that has just begun or a full disk leaves it: version {0} is offered to nobody; copy it again, or remove it to offer the version to everybody",
    "offer.ini пуст, как бывает в начале копирования или при заполненном диске: версия {0} не предлагается никому; скопируйте его ещё раз или удалите, чтобы предлагать версию всем",
);

/// A line of `offer.ini` is wrong.
pub const OFFER_BAD_LINE: Text =
    text!("OFFER-BAD-LINE", "{1}: version {0} is offered to nobody", "{1}: версия {0} не предлагается никому");

/// A key of `offer.ini` is not one of ours.
pub const OFFER_BAD_KEY: Text = text!(
    "OFFER-BAD-KEY",
    "unknown key {1}: version {0} is offered to nobody; correct or remove it; the keys are only_for, built_from, built_to, description, critical_version",
    "неизвестный ключ {1}: версия {0} не предлагается никому; исправьте его или удалите; известны only_for, built_from, built_to, description, critical_version",
);

/// The same, where one of ours was probably meant.
pub const OFFER_MISSPELT: Text = text!(
    "OFFER-KEY-MISSPELT",
    "unknown key {1}; did you mean {2}? Version {0} is offered to nobody until that is corrected",
    "неизвестный ключ {1}; возможно, имелся в виду {2}? Пока это не исправлено, версия {0} не предлагается никому",
);

/// A key of `offer.ini` is there twice.
pub const OFFER_REPEATED: Text = text!(
    "OFFER-REPEATED-KEY",
    "{1} stands there already: version {0} is offered to nobody; leave one of the two (only only_for may be repeated)",
    "{1} уже есть выше: версия {0} не предлагается никому; оставьте одну строку (повторять можно только only_for)",
);

/// A value of `offer.ini` is wrong.
pub const OFFER_BAD_VALUE: Text = text!(
    "OFFER-BAD-VALUE",
    "{1} = {2} is not valid: version {0} is offered to nobody; expected {3}",
    "{1} = {2} - недопустимое значение: версия {0} не предлагается никому; ожидается {3}",
);

/// A part: addresses.
pub const VALID_ADDRESSES: Text = text!(
    "addresses and blocks with commas between them (for example 192.168.1.20, 192.168.2.0/24)",
    "список адресов и подсетей через запятую (например, 192.168.1.20, 192.168.2.0/24)",
);

/// A part: a build date.
pub const VALID_BUILD_DATE: Text =
    text!("a build date DD.MM.YYYY (for example 28.12.2017)", "дата сборки ДД.ММ.ГГГГ (например, 28.12.2017)");

/// A part: a text.
pub const VALID_DESCRIPTION: Text = text!("a text, or no such line", "текст; иначе строку нужно убрать");

/// A part: a version.
pub const VALID_CRITICAL: Text =
    text!("a date yyyymmdd (for example 20260301), or 0 for none", "дата ггггммдд (например, 20260301); 0 - никакая");

/// A file that may have been meant as `offer.ini`.
pub const OFFER_MISNAMED: Text = text!(
    "OFFER-MISNAMED",
    "the name begins with \"offer\" and is not offer.ini: version {0} is offered to nobody; rename the file to offer.ini, or give it a name that begins otherwise",
    "имя начинается с \"offer\", но это не offer.ini: версия {0} не предлагается никому; переименуйте файл в offer.ini или дайте имя с другим началом",
);

/// Nobody is admitted.
pub const OFFER_FOR_NOBODY: Text = text!(
    "OFFER-FOR-NOBODY",
    "nobody can be offered version {0}: no build date lies in built_from and built_to and before {0}; correct the two",
    "версию {0} некому предложить: нет даты сборки, которая подходит под built_from и built_to и раньше {0}; исправьте их",
);

/// Everybody who is admitted is kept out.
pub const OFFER_NOT_ALLOWED: Text = text!(
    "OFFER-NOT-ALLOWED",
    "nobody can be offered version {0}: allow in the settings lets none of the addresses of only_for in; correct one of the two",
    "версию {0} некому предложить: allow в настройках не пропускает ни один адрес из only_for; исправьте одно из двух",
);

/// Two offers that exclude each other.
pub const OFFERS_OVERLAP: Text = text!(
    "OFFERS-OVERLAP",
    "only_for of {0} and only_for of {1} have addresses in common, and neither holds all of the other's: whoever is in both is told that there is no update; take the common addresses out of one of the two",
    "у only_for версий {0} и {1} есть общие адреса, и ни один список не содержит другой целиком: кому подходят обе, тому сообщается, что обновлений нет; уберите общие адреса из одного из списков",
);

/// More live versions than there may be.
pub const LIVE_TOO_MANY: Text = text!(
    "OFFERS-TOO-MANY",
    "{1} versions are offered already, which is the most there can be: version {0} is not offered; move those away that nobody needs any more",
    "уже предлагается версий: {1}, больше нельзя: версия {0} не предлагается; уберите те, которые больше никому не нужны",
);

/// The images of all live versions need more memory than there may be.
pub const LIVE_TOO_LARGE: Text = text!(
    "OFFERS-TOO-LARGE",
    "the images of all offered versions may have {1} KiB together: version {0} is not offered; move versions away that nobody needs any more, or raise max_image_kb (twice its value is allowed)",
    "образы всех предлагаемых версий вместе могут занимать {1} КиБ: версия {0} не предлагается; уберите версии, которые больше никому не нужны, или увеличьте max_image_kb (можно вдвое больше его значения)",
);

/// All whom an offer is for have something newer.
pub const OFFER_OVERTAKEN: Text = text!(
    "OFFER-OVERTAKEN",
    "every registrar seen so far that version {0} is for has a newer build (registrars: {1}, their oldest build: {2}): it is offered to nobody; if the folder's name is mistyped, rename the folder to the build date of its firmware; if it is right, nobody needs the version any more: publish a newer one (a version that registrars have already cannot be taken back)",
    "у всех уже замеченных касс, для которых предназначена версия {0}, сборка новее (касс: {1}, самая старая сборка: {2}): предлагать её некому; если в имени папки опечатка, переименуйте папку по дате сборки прошивки; если имя верно, версия больше никому не нужна: выложите более новую (уже установленную на кассы версию вернуть назад нельзя)",
);

// --- What a caller is told, and why: no problems -------------------------------------------------

/// Newer than what the caller has.
pub const ADMITTED: Text = text!("{0}: admitted, and newer", "{0}: подходит, и она новее");

/// Not newer.
pub const ADMITTED_OLD: Text = text!("{0}: admitted, but not newer than the build", "{0}: подходит, но не новее её сборки");

/// Another's.
pub const OTHER_ADDRESS: Text = text!("{0}: not admitted: only_for does not hold {1}", "{0}: не для неё: в only_for нет {1}");

/// Too old.
pub const BUILT_BEFORE: Text =
    text!("{0}: not admitted: built before built_from {1}", "{0}: не для неё: её сборка раньше built_from {1}");

/// Too new.
pub const BUILT_AFTER: Text =
    text!("{0}: not admitted: built after built_to {1}", "{0}: не для неё: её сборка позже built_to {1}");

/// Unsettled, perhaps the caller's.
pub const CHANGING_FOR_IT: Text = text!(
    "{0}: changing; it may be for this caller, who is told no update",
    "{0}: изменяется; может подойти этой кассе, и пока ей сообщается, что обновлений нет",
);

/// Unsettled, and another's.
pub const CHANGING: Text = text!("{0}: changing; not for this caller", "{0}: изменяется; этой кассе не подходит");

/// An offer.
pub const TOLD_UPDATE: Text = text!("told: update to {0}", "ответ: обновление до {0}");

/// An offer.
pub const TOLD_CRITICAL: Text = text!("told: update to {0}, critical", "ответ: критическое обновление до {0}");

/// No offer.
pub const TOLD_UP_TO_DATE: Text =
    text!("told: no update (it has {0} or newer)", "ответ: обновлений нет (у неё уже {0} или новее)");

/// No answer.
pub const TOLD_NOTHING: Text = text!(
    "told nothing: allow does not hold {0}, its connections are reset",
    "ответа нет: {0} не входит в allow, её соединения сбрасываются"
);

/// No offer.
pub const TOLD_NOT_FOR_IT: Text =
    text!("told: no update (no version is for it)", "ответ: обновлений нет (ни одна версия ей не подходит)");

/// No offer.
pub const TOLD_CHANGING: Text = text!("told: no update ({0} is changing)", "ответ: обновлений нет ({0} изменяется)");

/// No offer.
pub const TOLD_OVERLAP: Text = text!("told: no update ({0} and {1} overlap)", "ответ: обновлений нет ({0} и {1} пересекаются)");

/// All of them.
pub const ALL: &[&Text] = &[
    &OFFER_UNREADABLE,
    &OFFER_EMPTY,
    &OFFER_BAD_LINE,
    &OFFER_BAD_KEY,
    &OFFER_MISSPELT,
    &OFFER_REPEATED,
    &OFFER_BAD_VALUE,
    &VALID_ADDRESSES,
    &VALID_BUILD_DATE,
    &VALID_DESCRIPTION,
    &VALID_CRITICAL,
    &OFFER_MISNAMED,
    &OFFER_FOR_NOBODY,
    &OFFER_NOT_ALLOWED,
    &OFFERS_OVERLAP,
    &LIVE_TOO_MANY,
    &LIVE_TOO_LARGE,
    &OFFER_OVERTAKEN,
    &ADMITTED,
    &ADMITTED_OLD,
    &OTHER_ADDRESS,
    &BUILT_BEFORE,
    &BUILT_AFTER,
    &CHANGING_FOR_IT,
    &CHANGING,
    &TOLD_UPDATE,
    &TOLD_CRITICAL,
    &TOLD_UP_TO_DATE,
    &TOLD_NOTHING,
    &TOLD_NOT_FOR_IT,
    &TOLD_CHANGING,
    &TOLD_OVERLAP,
];

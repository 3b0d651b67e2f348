//! Words for what registrars show, and for what to do about one of them.

use super::words::{Text, text};

/// A folder named later than the firmware in it.
pub const MISLABELLED: Text = text!(
    "FOLDER-NAMED-TOO-LATE",
    "{0} took {1} and came back built {2}, which is older than the folder's name: every registrar would flash it for ever; if {0} is a till, rename the folder to {3}",
    "{0} загрузила {1} и вернулась со сборкой {2}, которая старше имени папки: кассы прошивали бы её бесконечно; если {0} — касса, переименуйте папку в {3}",
);

/// An older date than before.
pub const ANOTHER_TILL: Text = text!(
    "ANOTHER-TILL",
    "reported the build date {1} after {0}: another till at this address? Registrars are told apart by address; give each a fixed one (a DHCP lease), or name the proxy before them in proxies",
    "после сборки {0} сообщён более старый {1}: по этому адресу другая касса? Кассы различаются по адресу; закрепите за каждой свой (аренда DHCP) или укажите прокси перед ними в proxies",
);

/// `X-Forwarded-For` from somebody who is not in `proxies`.
pub const UNNAMED_PROXY: Text = text!(
    "UNNAMED-PROXY",
    "sends X-Forwarded-For and is not named in proxies: all registrars behind it count as one, so none is protected from flashing the same version again; add {0} to proxies if it is your proxy",
    "передаёт X-Forwarded-For, но не указан в proxies: все кассы за ним считаются одной и не защищены от повторной прошивки; если это ваш прокси, добавьте {0} в proxies",
);

/// A named proxy without a usable `X-Forwarded-For`.
pub const SILENT_PROXY: Text = text!(
    "SILENT-PROXY",
    "is named in proxies, and its checks do not say in X-Forwarded-For whose they are: all registrars behind it count as one, so updates are offered and held back for the wrong ones; in HAProxy set option forwardfor, in nginx proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; if registrars have this address themselves, take it out of proxies",
    "указан в proxies, но в его проверках поле X-Forwarded-For не называет кассу: все кассы за ним считаются одной, и обновления предлагаются и удерживаются не тем; в HAProxy включите option forwardfor, в nginx - proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; если это адрес самих касс, уберите его из proxies",
);

/// A Java client without the driver's field.
pub const BUILD_DATE_FIELD_MISSING: Text = text!(
    "BUILD-DATE-FIELD-MISSING",
    "checks as Java without the field build_date: a proxy has dropped it, and the registrar is not protected from flashing a version again; in nginx set underscores_in_headers on",
    "проверяет как Java, но без поля build_date: его убрал прокси, и касса не защищена от повторной прошивки; в nginx включите underscores_in_headers on",
);

/// Took a version long ago.
pub const STUCK_TAKEN: Text = text!(
    "STUCK",
    "took {0} {1} h ago and still reports {2}: close the shift, restart the POS program, and look whether the registrar accepts the update",
    "загрузила {0} {1} ч назад, но всё ещё сообщает {2}: закройте смену, перезапустите кассовую программу и проверьте, принимает ли касса обновление",
);

/// Cut again and again.
pub const STUCK_CUT: Text = text!(
    "STUCK-CUT",
    "its last {0} downloads were cut: look at its network link",
    "последние загрузки ({0}) оборваны: проверьте её сетевое подключение",
);

/// Cut once.
pub const CUT: Text = text!(
    "DOWNLOAD-CUT",
    "its download was cut at {0} of {1} bytes; it is offered the update anew at its next check. If it does not check any more, restart its POS program",
    "загрузка оборвана на {0} из {1} байт; при следующей проверке обновление предложат заново. Если касса больше не проверяет, перезапустите кассовую программу",
);

/// Waits for the end of its shift.
pub const TAKEN: Text = text!(
    "TAKEN",
    "has the update and flashes it when its shift is closed; it shows the new date after the POS program's next start",
    "прошивка загружена и будет установлена после закрытия смены; новая дата станет видна после перезапуска кассовой программы",
);

/// Took a version, and silence since.
pub const TAKEN_SILENT: Text = text!(
    "TAKEN-SILENT",
    "took {0} {1} h ago and has not been heard of since: look at this till",
    "загрузила {0} {1} ч назад и с тех пор молчит: проверьте эту кассу",
);

/// Not seen for days.
pub const SILENT: Text = text!(
    "SILENT",
    "last seen {0} h ago: if it is in use, restart its POS program (a driver whose check failed once stops asking)",
    "была на связи {0} ч назад: если касса работает, перезапустите кассовую программу (после одной неудачной проверки драйвер перестаёт спрашивать)",
);

/// Held after it took a version.
pub const HELD_TAKEN: Text = text!(
    "HELD-TAKEN",
    "took {0} {1} h ago and is not offered it again for {2} h, or until its POS program is restarted",
    "загрузила {0} {1} ч назад; снова ей предложат через {2} ч или после перезапуска кассовой программы",
);

/// Held after a cut.
pub const HELD_CUT: Text = text!(
    "HELD-CUT",
    "its download was cut {0} min ago; it is offered the update again in {1} min",
    "загрузка оборвана {0} мин назад; обновление предложат снова через {1} мин",
);

/// Held because the folder's name is wrong.
pub const HELD_MISLABELLED: Text = text!(
    "HELD-MISLABELLED",
    "is not offered {0} again: the firmware in that folder is built {1}",
    "{0} ей больше не предлагается: прошивка в этой папке собрана {1}",
);

/// All of them.
pub const ALL: &[&Text] = &[
    &MISLABELLED,
    &ANOTHER_TILL,
    &UNNAMED_PROXY,
    &SILENT_PROXY,
    &BUILD_DATE_FIELD_MISSING,
    &STUCK_TAKEN,
    &STUCK_CUT,
    &CUT,
    &TAKEN,
    &TAKEN_SILENT,
    &SILENT,
    &HELD_TAKEN,
    &HELD_CUT,
    &HELD_MISLABELLED,
];

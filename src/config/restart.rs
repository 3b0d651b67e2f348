//! Settings that are in the file and not in force: those that wait for a restart, and those that are the service manager's.

use super::settings::Settings;
use crate::problem::Problem;
use crate::problem::settings as texts;
use crate::text::quote;

/// What of the settings `wanted` waits for a restart, because the server has started with others. Nothing waits any more when they
/// are changed back.
pub fn restart_problems(started_with: &Settings, wanted: &Settings, socket_is_inherited: bool) -> Vec<Problem> {
    let of_socket = [("port", describe_port as fn(&Settings) -> String), ("address", describe_addresses)];
    let of_us = ("max_connections", describe_connections as fn(&Settings) -> String);
    let pending = of_socket.into_iter().filter(|_| !socket_is_inherited).chain([of_us]);
    pending
        .filter_map(|(key, describe)| {
            let (now, then) = (describe(started_with), describe(wanted));
            let details = vec![key.into(), then.as_str().into(), now.as_str().into()];
            (now != then).then(|| wanted.problem_of(key, &texts::RESTART, details))
        })
        .collect()
}

/// Lines that do not count because the service manager holds the socket.
pub fn socket_hints(settings: &Settings) -> Vec<Problem> {
    let keys = ["port", "address"].into_iter().filter(|key| settings.line_of(key).is_some());
    keys.map(|key| settings.problem_of(key, &texts::SOCKET, vec![key.into()])).collect()
}

fn describe_port(settings: &Settings) -> String {
    settings.port.to_string()
}

fn describe_addresses(settings: &Settings) -> String {
    let addresses: Vec<_> = settings.addresses.iter().map(ToString::to_string).collect();
    quote(&addresses.join(", "), usize::MAX)
}

fn describe_connections(settings: &Settings) -> String {
    settings.max_connections.to_string()
}

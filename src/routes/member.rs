//! Reading the JSON object of a request.

use crate::json;

/// Reads a request's JSON object, and by `read` the member `name` of it. The error says what is wrong with the body.
pub fn read_member<T>(
    body: &[u8],
    name: &str,
    example: &str,
    read: impl FnOnce(&json::Value<'_>) -> Result<T, String>,
) -> Result<T, String> {
    // PowerShell may send a byte order mark (CLIENTS.md).
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.is_empty() {
        return Err(format!("empty body; expected {{\"{name}\": \"{example}\"}}"));
    }
    let value =
        json::parse(body).map_err(|error| format!("the body is not JSON: {error}; expected {{\"{name}\": \"{example}\"}}"))?;
    match value.member(name) {
        Some(member) => read(member),
        None if matches!(value, json::Value::Object(_)) => {
            Err(format!("{name} is missing; expected {{\"{name}\": \"{example}\"}}"))
        }
        None => Err(format!("the body is {}; expected the object {{\"{name}\": \"{example}\"}}", value.kind())),
    }
}

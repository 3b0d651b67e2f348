//! JSON against RFC 8259: every construct of the grammar is accepted, everything else refused.

use susv::json::{self, Value};

fn accepts(text: impl AsRef<[u8]>) -> Value<'static> {
    let text = text.as_ref().to_vec().leak();
    json::parse(text).unwrap_or_else(|error| panic!("{:?}: {error}", String::from_utf8_lossy(text)))
}

fn refuses(text: impl AsRef<[u8]>) {
    let text = text.as_ref();
    assert!(json::parse(text).is_err(), "{:?} was accepted", String::from_utf8_lossy(text));
}

fn string(text: &str) -> Value<'_> {
    Value::String(text.into())
}

#[test]
fn values_of_every_kind_are_read() {
    assert_eq!(accepts("null"), Value::Null);
    assert_eq!(accepts("true"), Value::Bool(true));
    assert_eq!(accepts("false"), Value::Bool(false));
    assert_eq!(accepts("\"\""), string(""));
    assert_eq!(accepts("[]"), Value::Array(vec![]));
    assert_eq!(
        accepts("[null, [1], {}]"),
        Value::Array(vec![Value::Null, Value::Array(vec![Value::Number("1")]), Value::Object(vec![])])
    );
    let object = Value::Object(vec![("a".into(), Value::Number("1")), ("".into(), string("x")), ("a".into(), Value::Null)]);
    assert_eq!(accepts("{\"a\":1,\"\":\"x\",\"a\":null}"), object);
    assert_eq!(object.member("a"), Some(&Value::Null), "the last of equal names counts");
    assert_eq!(object.member("b"), None);
    assert_eq!(accepts("[1]").member("a"), None);
}

#[test]
fn numbers_keep_to_the_grammar() {
    for text in
        ["0", "-0", "7", "-7", "10", "0.5", "-0.50", "1e5", "1E5", "1e+5", "1e-5", "1.5e999", "1e999", "1e00", &"9".repeat(5000)]
    {
        assert_eq!(accepts(text), Value::Number(text));
    }
    let refused = [
        "01",
        "00",
        "-01",
        "-",
        "+1",
        ".5",
        "5.",
        "-.5",
        "1.e5",
        "1e",
        "1e+",
        "1E-",
        "1e5.5",
        "0x12",
        "1_0",
        "1,5",
        "NaN",
        "Infinity",
        "-Infinity",
        "1 2",
        "١",
        "1f",
        "--1",
        "1e1e1",
    ];
    refused.iter().for_each(refuses);
}

#[test]
fn strings_are_unescaped() {
    let cases = [
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r#""\u0041\u00e9\u4e2D""#, "Aé中"),
        (r#""\u0000""#, "\0"),
        (r#""\ud83d\ude00""#, "😀"),
        (r#""\uD83D\uDE00x""#, "😀x"),
        (r#""\uFFFF\u007f""#, "\u{ffff}\u{7f}"),
        ("\"\u{7f}\u{80}\u{2028}Касса😀\"", "\u{7f}\u{80}\u{2028}Касса😀"),
        // Lone surrogates are in the grammar; Rust's strings cannot hold them.
        (r#""\ud800""#, "\u{fffd}"),
        (r#""\udc00""#, "\u{fffd}"),
        (r#""\ud800x""#, "\u{fffd}x"),
        (r#""\ud800\n""#, "\u{fffd}\n"),
        (r#""\ud800\u0041""#, "\u{fffd}A"),
        (r#""\ud800\ud83d\ude00""#, "\u{fffd}😀"),
        (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
    ];
    for (text, expected) in cases {
        assert_eq!(accepts(text), string(expected), "{text}");
    }
}

#[test]
fn malformed_strings_are_refused() {
    let refused = [
        r#"""#,
        r#""abc"#,
        r#""abc\"#,
        r#""\"#,
        r#""\x41""#,
        r#""\a""#,
        r#""\u""#,
        r#""\u12""#,
        r#""\u12g4""#,
        r#""\u+123""#,
        r#""\U0041""#,
        r#""\ud800\u""#,
        r#""\ud800\u12""#,
        r#"'a'"#,
        "\"a\tb\"",
        "\"a\nb\"",
        "\"\0\"",
        "\"\u{1f}\"",
        "abc",
        r#""a" "b""#,
    ];
    refused.iter().for_each(refuses);
}

#[test]
fn text_must_be_utf_8_without_byte_order_mark() {
    let refused: [&[u8]; 12] = [
        b"\"\xc0\xaf\"",
        b"\"\xe0\x80\xaf\"",
        b"\"\xf0\x80\x80\xaf\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xf4\x90\x80\x80\"",
        b"\"\xff\"",
        b"\"\x80\"",
        b"\"\xd0\"",
        b"\xff\xfe1\0",
        b"\xef\xbb\xbf1",
        "\u{a0}1".as_bytes(),
        b"\xcf\xf0",
    ];
    refused.iter().for_each(refuses);
}

#[test]
fn structure_is_strict() {
    for text in ["[1,2]", "[ 1 , 2 ]", "{\"a\" : 1 , \"b\" : 2}", " \t\r\n{ }\n", "[[],[]]", "[{}]"] {
        accepts(text);
    }
    let refused = [
        "",
        " ",
        "[",
        "]",
        "[1",
        "[1,",
        "[,1]",
        "[1,]",
        "[1,,2]",
        "[1 2]",
        "[1}",
        "{",
        "}",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{,}",
        "{\"a\" 1}",
        "{a:1}",
        "{1:1}",
        "{'a':1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\"::1}",
        "{\"a\",\"b\"}",
        "nul",
        "nulll",
        "True",
        "TRUE",
        "tru",
        "[1]]",
        "{}{}",
        "1 // x",
        "/* x */ 1",
        "[1]\0",
        "\u{c}1",
        "undefined",
        "()",
        "[true false]",
        "{null:1}",
    ];
    refused.iter().for_each(refuses);
}

#[test]
fn nesting_ends_at_32() {
    let nested = |depth: usize, open: &str, close: &str| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        accepts(nested(32, open, close));
        refuses(nested(33, open, close));
        refuses(nested(100_000, open, close));
        refuses(open.repeat(100_000));
    }
    // Breadth is not depth.
    accepts(format!("[{}1]", "[[]],".repeat(10_000)));
}

#[test]
fn errors_say_where() {
    for (text, at) in [("", 0), ("[1,]", 3), ("{\"a\" 1}", 5), ("1 x", 2), ("\"a\tb\"", 2), ("[\"\\x\"]", 3)] {
        assert_eq!(json::parse(text.as_bytes()).map_err(|error| error.at), Err(at), "{text:?}");
    }
}

#[test]
fn every_prefix_of_a_document_is_refused() {
    let text = r#"{"a": [1.5e-3, "x\u0041\ud83d\ude00", true, null], "b": {"c": false}}"#;
    accepts(text);
    (0..text.len()).for_each(|end| refuses(&text[..end]));
}

#[test]
fn written_strings_are_ascii_and_read_back() {
    let cases = [
        ("", r#""""#),
        ("plain /path", r#""plain /path""#),
        ("\"\\", r#""\"\\""#),
        ("\u{8}\u{c}\n\r\t", r#""\b\f\n\r\t""#),
        ("\0\u{1}\u{b}\u{1f}\u{7f}", r#""\u0000\u0001\u000b\u001f\u007f""#),
        ("Ёё№", r#""\u0401\u0451\u2116""#),
        ("😀", r#""\ud83d\ude00""#),
        ("</script><//", r#""<\/script><\//""#),
        ("\u{2028}\u{feff}", r#""\u2028\ufeff""#),
    ];
    for (text, expected) in cases {
        let mut out = String::new();
        json::write_string(&mut out, text);
        assert_eq!(out, expected);
        assert_eq!(accepts(&out), string(text));
    }
}

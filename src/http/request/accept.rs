//! Whether a client that says what it accepts would take JSON.

use actix_web::http::header::{self, HeaderMap};

/// Whether the header `Accept` leaves JSON in: nothing said, or nothing that can be read, is everything.
pub(in crate::http) fn accepts_json(headers: &HeaderMap) -> bool {
    let said = headers.get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
    let ranges: Vec<&str> =
        said.flat_map(|value| value.split(',')).map(str::trim).filter(|range| !range.is_empty()).collect();
    // The most specific range decides (RFC 9110, 12.5.1).
    let decides = ranges.iter().filter_map(|range| judged(range)).max_by_key(|(precision, _)| *precision);
    ranges.is_empty() || decides.is_some_and(|(_, wanted)| wanted)
}

/// How precisely a range speaks of JSON, and whether it wants it; `None`: it speaks of something else.
fn judged(range: &str) -> Option<(u8, bool)> {
    let (kind, parameters) = range.split_once(';').unwrap_or((range, ""));
    let precision = match kind.trim().to_ascii_lowercase().as_str() {
        "application/json" => 2,
        "application/*" => 1,
        "*/*" => 0,
        _ => return None,
    };
    let weight = parameters.split(';').filter_map(|part| part.trim().split_once('=')).find(|(name, _)| {
        let name = name.trim();
        name.eq_ignore_ascii_case("q")
    });
    let wanted = weight.and_then(|(_, weight)| weight.trim().parse::<f32>().ok()).is_none_or(|weight| weight > 0.0);
    Some((precision, wanted))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn accepts(lines: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::ACCEPT, HeaderValue::from_static(line));
        }
        accepts_json(&headers)
    }

    #[test]
    fn json_is_in_unless_it_is_ruled_out() {
        for line in [
            "*/*",
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/*;q=0.1",
            "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8",
            "text/html;q=0.5,application/json;q=0.001",
            "*/*;q=0, application/json",
            "application/json;q=often",
            "",
            " , ",
        ] {
            assert!(accepts(&[line]), "{line:?}");
        }
        assert!(accepts(&[]) && accepts(&["text/html", "application/json"]));
    }

    #[test]
    fn what_names_only_others_or_refuses_json_rules_it_out() {
        for line in [
            "text/html",
            "application/xml",
            "image/*",
            "application/json;q=0",
            "application/json; q=0.000, */*",
            "application/*;q=0, */*",
            "*/*;q=0",
            "application/jsonx",
            "nonsense",
        ] {
            assert!(!accepts(&[line]), "{line:?}");
        }
    }
}

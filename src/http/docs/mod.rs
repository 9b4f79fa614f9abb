//! The documentation, served by the binary itself: nothing is loaded from anywhere else.

use actix_web::{HttpResponse, http::header, web};
use rust_embed::RustEmbed;

use super::{Answer, Problem};

/// Everything in `docs/`.
#[derive(RustEmbed)]
#[folder = "docs/"]
struct Files;

/// No script, no frame, no request to anywhere; only the page's own style.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
const STYLE: &str = "body{max-width:60rem;margin:2rem auto;padding:0 1rem;font:1rem/1.5 system-ui,sans-serif;\
color-scheme:light dark}pre{white-space:pre-wrap;font:.9rem/1.5 ui-monospace,monospace}";

/// The list of pages.
pub(super) async fn index() -> HttpResponse {
    let all: Vec<String> = Files::iter().filter_map(|name| Some(name.strip_suffix(".md")?.to_owned())).collect();
    let (mut decisions, mut names): (Vec<_>, Vec<_>) = all.into_iter().partition(|name| name.contains('/'));
    names.sort();
    names.extend(["openapi.json".to_owned(), "asyncapi.json".to_owned()]);
    decisions.sort();
    let (names, decisions) = (listed(&names), listed(&decisions));
    html("Rookery", &format!("<h1>Rookery</h1><ul>{names}</ul><h2>Decisions</h2><ul>{decisions}</ul>"))
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("<li><a href=\"/docs/{0}\">{0}</a></li>", escaped(name))).collect()
}

/// One page.
pub(super) async fn page(name: web::Path<String>) -> Answer {
    shown("", &name)
}

/// One decision.
pub(super) async fn decision(name: web::Path<String>) -> Answer {
    shown("adr/", &name)
}

fn shown(folder: &str, name: &str) -> Answer {
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if !plain {
        return Err(Problem::not_found("page"));
    }
    let name = name.strip_suffix(".md").unwrap_or(name);
    if name.ends_with(".json") {
        let file = Files::get(&format!("{folder}{name}")).ok_or_else(|| Problem::not_found("page"))?;
        return Ok(HttpResponse::Ok().content_type("application/json").body(file.data.into_owned()));
    }
    let file = Files::get(&format!("{folder}{name}.md")).ok_or_else(|| Problem::not_found("page"))?;
    Ok(html(name, &formatted(&String::from_utf8_lossy(&file.data))))
}

fn html(title: &str, body: &str) -> HttpResponse {
    let title = escaped(title);
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style>{body}</html>"
        ))
}

/// Headings become headings that can be linked to; the rest stays as it was written, which reads well enough.
fn formatted(markdown: &str) -> String {
    let mut html = String::from("<p><a href=\"/docs\">all pages</a></p><pre>");
    let mut fenced = false;
    for line in markdown.lines() {
        fenced ^= line.starts_with("```");
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        let heading = line.get(level..).and_then(|rest| rest.strip_prefix(' '));
        match heading {
            Some(words) if !fenced && (1..=6).contains(&level) => {
                let anchor = anchor(words);
                html.push_str(&format!("</pre><h{level} id=\"{anchor}\">{}</h{level}><pre>", escaped(words)));
            }
            _ => {
                html.push_str(&escaped(line));
                html.push('\n');
            }
        }
    }
    html.push_str("</pre>");
    html
}

/// As the usual renderers of Markdown name the anchor of a heading.
fn anchor(words: &str) -> String {
    let lower = words.to_lowercase();
    lower
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
            _ => None,
        })
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_can_be_linked_to_and_nothing_is_markup() {
        let html = formatted("# A & B\n\n## bad_request\n<script>x</script>\n```\n# no heading\n```\n");
        assert!(html.contains("<h1 id=\"a--b\">A &amp; B</h1>"), "{html}");
        assert!(html.contains("<h2 id=\"bad_request\">bad_request</h2>"), "{html}");
        assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"), "{html}");
        assert!(html.contains("\n# no heading\n"), "{html}");
    }

    #[tokio::test]
    async fn pages_are_found_by_name_only() {
        assert!(page(web::Path::from("protocol".to_owned())).await.is_ok());
        assert!(page(web::Path::from("protocol.md".to_owned())).await.is_ok());
        for name in ["", "nothing", "../Cargo", "..", "a/b", "protocol\0"] {
            assert!(page(web::Path::from(name.to_owned())).await.is_err(), "{name:?}");
            assert!(decision(web::Path::from(name.to_owned())).await.is_err(), "{name:?}");
        }
        let first = "0001-core-decides-shell-delivers".to_owned();
        assert!(decision(web::Path::from(first.clone())).await.is_ok());
        assert!(page(web::Path::from(first)).await.is_err(), "a decision lies in its folder");
    }
}

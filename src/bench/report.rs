//! The figures of a bench, for people and for programs.

use serde_json::{Map, Value, json};

use super::latency::Summary;
use super::options::Common;
use super::worker::order::Troubles;

/// Figures under stable names, in the order in which they were found.
pub(super) struct Report {
    bench: &'static str,
    rows: Vec<(String, String)>,
    figures: Map<String, Value>,
    troubles: Vec<String>,
}

impl Report {
    pub(super) fn new(bench: &'static str) -> Report {
        Report { bench, rows: Vec::new(), figures: Map::new(), troubles: Vec::new() }
    }

    /// A figure with a unit.
    pub(super) fn number(&mut self, key: &str, label: &str, value: f64, unit: &str) {
        self.figures.insert(key.to_owned(), json!(rounded(value)));
        self.rows.push((label.to_owned(), format!("{} {unit}", readable(value)).trim_end().to_owned()));
    }

    /// A figure that is a count.
    pub(super) fn count(&mut self, key: &str, label: &str, value: u64, unit: &str) {
        self.figures.insert(key.to_owned(), json!(value));
        self.rows.push((label.to_owned(), format!("{} {unit}", grouped(value)).trim_end().to_owned()));
    }

    /// A figure that this run cannot give.
    pub(super) fn missing(&mut self, key: &str, label: &str, why: &str) {
        self.figures.insert(key.to_owned(), Value::Null);
        self.rows.push((label.to_owned(), format!("not measured ({why})")));
    }

    /// Percentiles.
    pub(super) fn latency(&mut self, key: &str, label: &str, summary: Summary) {
        let figures = [("p50", summary.p50), ("p99", summary.p99), ("p999", summary.p999), ("max", summary.max)];
        for (name, value) in figures {
            self.figures.insert(format!("{key}_{name}_ms"), json!(rounded(value)));
        }
        let [p50, p99, p999, max] = figures.map(|(_, value)| readable(value));
        self.rows.push((label.to_owned(), format!("p50 {p50} ms, p99 {p99} ms, p99.9 {p999} ms, max {max} ms")));
    }

    /// What should not have happened in a run. A report with troubles is shown, and the bench fails.
    pub(super) fn troubles(&mut self, of: &str, troubles: &Troubles) {
        if !troubles.none() || troubles.first.is_some() {
            self.trouble(format!("{of}: {}", serde_json::to_string(troubles).unwrap_or_default()));
        }
    }

    /// Something that should not have happened.
    pub(super) fn trouble(&mut self, what: String) {
        self.troubles.push(what);
    }

    /// Prints the figures.
    pub(super) fn print(&self, common: &Common) -> anyhow::Result<()> {
        if common.json {
            println!("{}", self.object());
        } else {
            println!("{}", self.table());
        }
        anyhow::ensure!(self.troubles.is_empty(), "not everything went well: {}", self.troubles.join("; "));
        Ok(())
    }

    fn object(&self) -> Value {
        json!({
            "bench": self.bench,
            "version": env!("CARGO_PKG_VERSION"),
            "cores": cores(),
            "command": command(),
            "profile": profile(),
            "figures": self.figures,
            "troubles": self.troubles,
        })
    }

    fn table(&self) -> String {
        let width = self.rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        let mut lines = vec![format!(
            "rookery {} bench {} on {} cores ({})\n{}\n",
            env!("CARGO_PKG_VERSION"),
            self.bench,
            cores(),
            profile(),
            command()
        )];
        lines.extend(self.rows.iter().map(|(label, value)| format!("  {label:width$}  {value}")));
        lines.extend(self.troubles.iter().map(|trouble| format!("  ! {trouble}")));
        lines.join("\n")
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The command as it can be typed again, without what is secret or belongs to one machine.
fn command() -> String {
    let mut words = vec!["rookery".to_owned()];
    let mut hidden = false;
    for word in std::env::args().skip(1) {
        words.push(if hidden { "…".to_owned() } else { word.clone() });
        hidden = matches!(word.as_str(), "--admin-token" | "--postgres");
    }
    words.join(" ")
}

/// How the program was built: an unoptimised one measures little.
fn profile() -> &'static str {
    if cfg!(debug_assertions) { "debug build, figures mean nothing" } else { "release build" }
}

/// Four digits are more than a bench can tell apart.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = 10_f64.powi(4 - value.abs().log10().ceil() as i32);
    let rounded = (value * scale).round() / scale;
    if value.abs() >= 10_000.0 { value.round() } else { rounded }
}

fn readable(value: f64) -> String {
    if value.abs() >= 1_000.0 { grouped(value.round() as u64) } else { rounded(value).to_string() }
}

/// 1234567 as 1,234,567.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_for_people_and_stable_for_programs() {
        assert_eq!([7, 1_000, 1_234_567].map(grouped), ["7", "1,000", "1,234,567"]);
        assert_eq!(
            [0.0, 0.123_456, 2.000_04, 123.456, 99_999.4].map(readable),
            ["0", "0.1235", "2", "123.5", "99,999"]
        );
        let mut report = Report::new("example");
        report.number("ratio", "ratio", 1.234_567, "");
        report.missing("rss", "memory", "no process");
        report.latency("ack", "ack", Summary { count: 1, p50: 1.0, p99: 2.0, p999: 3.0, max: 4.0 });
        let object = report.object();
        assert_eq!(object["figures"]["ratio"], json!(1.235));
        assert_eq!(object["figures"]["rss"], Value::Null);
        assert_eq!(object["figures"]["ack_p999_ms"], json!(3.0));
        assert!(report.table().contains("ratio   1.235"), "{}", report.table());
    }
}

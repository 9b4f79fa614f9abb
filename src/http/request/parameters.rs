//! What stands behind the question mark: each parameter is taken once, and what is left over is an error.

use std::{cell::RefCell, future::Ready, str::FromStr};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};

use crate::http::Problem;
use crate::store::Range;

/// The most that a page of a list may hold.
const MOST: usize = 200;
/// What it holds when nothing is said.
const USUAL: usize = 50;
/// Bytes of the longest cursor that can be ours.
const CURSOR: usize = 1_024;

/// The parameters of a request.
pub(crate) struct Parameters {
    left: RefCell<Vec<(String, String)>>,
}

impl FromRequest for Parameters {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Self::read(request.query_string()))
    }
}

impl Parameters {
    pub(super) fn read(query: &str) -> Result<Self, Problem> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(query)
            .map_err(|_| Problem::field("", "invalid", "the query cannot be read"))?;
        Ok(Self { left: RefCell::new(pairs.into_inner()) })
    }

    /// The value of a parameter, which may stand once.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<String>, Problem> {
        let mut left = self.left.borrow_mut();
        let Some(at) = left.iter().position(|(known, _)| known == name) else { return Ok(None) };
        let (_, value) = left.swap_remove(at);
        if left.iter().any(|(known, _)| known == name) {
            return Err(Problem::field(name, "invalid", "stands twice"));
        }
        Ok(Some(value))
    }

    /// The same as a value of another type.
    pub(crate) fn parsed<T: FromStr>(&self, name: &'static str, what: &str) -> Result<Option<T>, Problem> {
        let parse = |text: String| text.parse().map_err(|_| Problem::field(name, "invalid", format!("must be {what}")));
        self.text(name)?.map(parse).transpose()
    }

    /// The same as a position in a log.
    pub(crate) fn seq(&self, name: &'static str) -> Result<Option<u64>, Problem> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let read = |text: String| {
            let seq = text.parse().ok().filter(|seq| digits(&text) && *seq <= rookery_core::ids::MAX_SEQ);
            seq.ok_or_else(|| Problem::field(name, "invalid", "must be a position, 0 to 2^53 − 1"))
        };
        self.text(name)?.map(read).transpose()
    }

    /// The same as yes (`1`) or no (`0`, or nothing).
    pub(crate) fn flag(&self, name: &'static str) -> Result<bool, Problem> {
        match self.text(name)?.as_deref() {
            None | Some("0") => Ok(false),
            Some("1") => Ok(true),
            Some(_) => Err(Problem::field(name, "invalid", "must be 0 or 1")),
        }
    }

    /// How many entries a page may hold.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        let wrong = || Problem::field("limit", "invalid", format!("must be 1 to {MOST}"));
        match self.text("limit")? {
            None => Ok(USUAL),
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().ok().filter(|limit| (1..=MOST).contains(limit)).ok_or_else(wrong)
            }
            Some(_) => Err(wrong()),
        }
    }

    /// Which part of a list, and that there is nothing else.
    pub(crate) fn range(&self) -> Result<Range, Problem> {
        let limit = self.limit()?;
        let after = self.text("after")?;
        self.end()?;
        if after.as_ref().is_some_and(|cursor| cursor.is_empty() || cursor.len() > CURSOR) {
            return Err(Problem::field("after", "invalid", "not a cursor of this list"));
        }
        Ok(Range { after, limit })
    }

    /// That nothing is left over.
    pub(crate) fn end(&self) -> Result<(), Problem> {
        match self.left.borrow().first() {
            Some((name, _)) => {
                let shown: String = name.chars().take(64).collect();
                Err(Problem::field(&shown, "unknown", format!("unknown parameter `{shown}`")))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Parameters {
        Parameters::read(query).unwrap()
    }

    #[test]
    fn a_range_has_bounds_that_are_not_bent() {
        let range = read("limit=200&after=abc").range().unwrap();
        assert_eq!((range.limit, range.after.as_deref()), (200, Some("abc")));
        assert_eq!(read("").range().unwrap().limit, USUAL);
        for query in
            ["limit=0", "limit=201", "limit=-1", "limit=", "limit=+5", "limit=many", "limit=1&limit=2", "after="]
        {
            assert!(read(query).range().is_err(), "{query}");
        }
        assert!(read(&format!("after={}", "A".repeat(5_000))).range().is_err());
    }

    #[test]
    fn positions_are_plain_numbers_that_json_keeps() {
        assert_eq!(read("after=0").seq("after").unwrap(), Some(0));
        assert_eq!(read("after=9007199254740991").seq("after").unwrap(), Some(9_007_199_254_740_991));
        for wrong in ["", "-1", "+1", "1.5", "1e3", "x", "9007199254740992", "18446744073709551616"] {
            assert!(read(&format!("after={wrong}")).seq("after").is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_left_over_is_named() {
        let problem = read("colour=red").range().unwrap_err();
        assert_eq!(problem.errors[0].pointer, "/colour");
    }
}

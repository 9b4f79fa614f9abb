//! Parts of lists: one row more is read than was asked for, and says whether there is more.

use serde::Serialize;

use super::row;
use crate::store::{Page, Range, cursor};

/// How many rows to read for a part.
pub(super) fn one_more(range: &Range) -> i64 {
    row::rows(range.limit.saturating_add(1))
}

/// Makes a page of rows of which there may be one too many; `place` says where an item stands in its list.
pub(super) fn page<T, P: Serialize>(mut items: Vec<T>, range: &Range, list: &str, place: impl Fn(&T) -> P) -> Page<T> {
    let more = items.len() > range.limit;
    items.truncate(range.limit);
    let next = items.last().filter(|_| more).map(|last| cursor::encode(list, &place(last)));
    Page { items, next }
}

//! What is answered: bodies, lists, problems, and what every answer carries.

mod error;
pub(super) mod headers;
pub(super) mod paging;
pub(super) mod view;

pub(super) use error::no_such_path;
pub use error::{Answer, FieldProblem, Problem, ProblemBody, status_of};

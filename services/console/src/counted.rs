//! Which series of `hindcast_http_requests_total` can come about: every route with the statuses that its kind of route
//! answers with. They exist before the first request, so that the first failure of a route is an increase.

use std::collections::BTreeSet;

use hindcast_api::Code;

use crate::{routes, web};

/// Statuses of a route that is read, beside those of its good answer.
const READ: [u16; 7] = [400, 401, 403, 404, 405, 500, 503];
/// Statuses of a page or of its form: a form leads back to its page.
const PAGE: [u16; 3] = [200, 303, 422];
/// What a request to no route of ours is counted under, and its status.
const NO_ROUTE: (&str, u16) = ("none", 404);

/// Route and status, of each series.
#[must_use]
pub fn series(also: &[&'static str]) -> Vec<Vec<String>> {
    let mut pairs: BTreeSet<(&'static str, u16)> = BTreeSet::from([NO_ROUTE]);
    for route in routes::all() {
        pairs.extend(route.gives.status.iter().chain(&READ).map(|status| (route.path, *status)));
        if route.takes.is_some() || route.command {
            pairs.extend(writes().map(|status| (route.path, status)));
        }
    }
    for path in web::paths() {
        pairs.extend(READ.iter().chain(&PAGE).map(|status| (path, *status)));
    }
    for path in also {
        pairs.extend([200].into_iter().chain(writes()).map(|status| (*path, status)));
    }
    pairs.into_iter().map(|(path, status)| vec![path.to_owned(), status.to_string()]).collect()
}

/// Statuses of a route that takes something: it may be taken and not decided yet, or refused for any reason.
fn writes() -> impl Iterator<Item = u16> {
    [202].into_iter().chain(Code::ALL.iter().map(|code| code.parts().1))
}

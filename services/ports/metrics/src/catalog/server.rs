//! The server itself: what was asked, what was refused, and what it is.

use super::declared::NameSet::RefusalCodes;
use super::declared::{MetricDeclaration, any, counter, gauge, named, words};

pub(super) const ALL: &[MetricDeclaration] = &[
    gauge(
        "hindcast_build_info",
        "The version of this program and what it was built for",
        &[any("version"), any("profile"), any("target")],
    ),
    counter(
        "hindcast_http_requests_total",
        "Requests to the API and the web pages, by route and status",
        &[any("route"), any("status")],
    ),
    counter(
        "hindcast_refused_total",
        "Requests to the API and the web pages that were refused",
        &[named("code", RefusalCodes)],
    ),
    counter(
        "hindcast_commands_total",
        "Commands, by what was decided while the request waited",
        &[words("outcome", &["accepted", "pending", "rejected"])],
    ),
];

//! Who asks: from the Authorization header, or from the cookie with an allowed origin.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderMap},
};
use rookery_core::{
    frame::{Code, Refusal},
    time::Millis,
};

use super::Parameters;
use crate::http::{Api, Problem};
use crate::{auth::Identity, config::Config};

/// The cookie in which a browser may hold the token.
const COOKIE: &str = "rookery_token";

/// How a request says who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// By a token in the `Authorization` header.
    Bearer(String),
    /// By the cookie, from a page of an allowed origin, or from no page at all.
    Cookie(String),
    /// Not at all.
    Nothing,
}

/// Reads who asks from the head of a request; also for the handshake of the WebSocket.
///
/// # Errors
/// `forbidden`: a cookie with the `Origin` of a page that may not use it.
pub fn presented(headers: &HeaderMap, config: &Config) -> Result<Presented, Refusal> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let bearer = value.to_str().ok().and_then(|text| text.split_once(' '));
        return Ok(match bearer {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Presented::Bearer(token.trim().to_owned())
            }
            _ => Presented::Nothing,
        });
    }
    let Some(token) = cookie(headers) else { return Ok(Presented::Nothing) };
    match headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default()) {
        Some(origin) if !config.allows_origin(origin) => {
            Err(Refusal::new(Code::Forbidden, "pages of this origin may not use the cookie"))
        }
        _ => Ok(Presented::Cookie(token)),
    }
}

/// The token in the cookie, if there is one.
fn cookie(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, token)| token.to_owned())
}

/// The peer's address.
pub(in crate::http) fn address_of(request: &HttpRequest) -> IpAddr {
    request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip())
}

/// Who asks; counts against the address if nobody does.
pub(in crate::http) async fn identify(api: &Api, request: &HttpRequest, now: Millis) -> Result<Identity, Problem> {
    let config = api.live.config();
    let token = match presented(request.headers(), &config)? {
        Presented::Bearer(token) => token,
        Presented::Cookie(token) => {
            // A page elsewhere can make a browser send the cookie along; only a page that may can name its origin.
            if !request.method().is_safe() && !request.headers().contains_key(header::ORIGIN) {
                return Err(Problem::new(Code::Forbidden, "a change by cookie needs an Origin that is allowed"));
            }
            token
        }
        Presented::Nothing => return Err(nobody(api, request, &config, now)),
    };
    match api.authenticator.by_token(&token, now).await? {
        Some(identity) => Ok(identity),
        None => Err(nobody(api, request, &config, now)),
    }
}

/// Who asks for a file: by a link to it, or as for everything else.
pub(in crate::http) async fn identify_by_link(
    api: &Api,
    request: &HttpRequest,
    now: Millis,
) -> Result<Identity, Problem> {
    let Some(ticket) = Parameters::read(request.query_string())?.text("ticket")? else {
        return identify(api, request, now).await;
    };
    let media = request.match_info().get("media").and_then(|id| id.parse().ok());
    let media = media.ok_or_else(|| Problem::not_found("file"))?;
    match api.authenticator.by_link(&ticket, media, now).await? {
        Some(identity) => Ok(identity),
        None => Err(nobody(api, request, &api.live.config(), now)),
    }
}

fn nobody(api: &Api, request: &HttpRequest, config: &Config, now: Millis) -> Problem {
    match api.limiter.address(address_of(request), config, now) {
        Ok(()) => Problem::new(Code::Unauthenticated, "a valid login is needed"),
        Err(refusal) => refusal.into(),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;
    use crate::config::Overrides;

    fn read(lines: &[(&'static str, &'static str)]) -> Result<Presented, Code> {
        let set = vec!["server.allowed_origins=https://app.example.com".to_owned()];
        let config = Config::load(&Overrides { set, ..Overrides::default() }).unwrap().config;
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        presented(&headers, &config).map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_bearer_token_wins_over_a_cookie_and_needs_no_origin() {
        let bearer = Ok(Presented::Bearer("abc".to_owned()));
        assert_eq!(read(&[("authorization", "Bearer abc")]), bearer);
        assert_eq!(read(&[("authorization", "bearer abc"), ("cookie", "rookery_token=x")]), bearer);
        assert_eq!(read(&[("authorization", "Bearer abc"), ("origin", "https://evil.example.net")]), bearer);
        for other in ["Basic abc", "abc", ""] {
            assert_eq!(read(&[("authorization", other)]), Ok(Presented::Nothing), "{other:?}");
        }
    }

    #[test]
    fn a_cookie_with_a_foreign_origin_is_forbidden() {
        let cookie = ("cookie", "other=1; rookery_token=abc; last=2");
        let good = Ok(Presented::Cookie("abc".to_owned()));
        assert_eq!(read(&[cookie]), good);
        assert_eq!(read(&[cookie, ("origin", "https://app.example.com")]), good);
        for origin in
            ["null", "", "https://app.example.com.evil.net", "http://app.example.com", "https://app.example.com/"]
        {
            assert_eq!(read(&[cookie, ("origin", origin)]), Err(Code::Forbidden), "{origin:?}");
        }
        assert_eq!(read(&[("cookie", "rookery_tokens=abc")]), Ok(Presented::Nothing));
        assert_eq!(read(&[]), Ok(Presented::Nothing));
    }
}

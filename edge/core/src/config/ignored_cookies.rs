//! Cookies by which no origin answers.

use super::NamePattern;

/// Scripts in the browser, or the network in front, write these cookies for themselves: they count visits, measure advertisements,
/// tell robots from people, or keep a script from asking for consent twice. Not among them is what some origins answer by: cookies of
/// tests with two versions of a page (`_gaexp`, `optimizelyEndUserId`), of consent that servers are told to read (`CookieConsent`), and
/// Cloudflare's `cf_clearance`, without which a page may be a challenge.
///
/// docs/fields.md says of each whose it is.
pub const IGNORED_COOKIES: [&str; 37] = [
    "_ga",
    "_ga_*",
    "_gid",
    "_gat",
    "_gat_*",
    "_dc_gtm_*",
    "_gac_*",
    "_gcl_*",
    "__utm*",
    "__gads",
    "__gpi",
    "__eoi",
    "_fbp",
    "_fbc",
    "_uetsid",
    "_uetvid",
    "_clck",
    "_clsk",
    "_hj*",
    "_pk_*",
    "_ym_*",
    "_ttp",
    "_tt_enable_cookie",
    "_pin_unauth",
    "_rdt_uuid",
    "_scid",
    "__qca",
    "__hstc",
    "__hssc",
    "__hssrc",
    "hubspotutk",
    "_mkto_trk",
    "OptanonConsent",
    "OptanonAlertBoxClosed",
    "euconsent-v2",
    "__cf_bm",
    "_cfuvid",
];

/// The same as patterns.
pub(super) fn usual() -> Vec<NamePattern> {
    IGNORED_COOKIES.into_iter().map(NamePattern::new).collect()
}

//! The list. A behaviour is a function whose name says what must be true; what is shared between them stands beside it.

mod body;
mod bounded;
mod browser;
mod caching;
mod changing;
mod failing;
mod framing;
mod guarding;
mod heads;
mod keying;
mod lasting;
mod negotiating;
mod opening;
mod owning;
mod parts;
mod passing;
mod promised;
mod selling;
mod sharing;
mod sockets;
mod stalls;
mod streaming;

use std::fmt;
use std::pin::Pin;

use anyhow::Result;

use crate::cx::Cx;
use crate::runtimes::Runtime;

/// Returned as an error by a behaviour that was not tried, with the reason.
#[derive(Debug)]
pub(crate) struct Skipped(pub(crate) String);

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Skipped {}

type Run = for<'a> fn(&'a Cx<'a>) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

pub(crate) struct Behaviour {
    pub(crate) name: &'static str,
    pub(crate) run: Run,
    /// Whether this runtime promises it.
    pub(crate) promised: fn(&dyn Runtime) -> bool,
}

macro_rules! behaviours {
    ($($module:ident::$name:ident $(if $promised:expr)?,)*) => {
        pub(crate) const ALL: &[Behaviour] = &[$(Behaviour {
            name: stringify!($name),
            run: |cx| Box::pin($module::$name(cx)),
            promised: behaviours!(@promised $($promised)?),
        },)*];
    };
    (@promised) => { |_| true };
    (@promised $promised:expr) => { $promised };
}

behaviours! {
    // The slowest first, so that the others run beside it.
    browser::a_visitor_finds_a_film_sees_a_hit_and_buys_a_seat if |runtime| runtime.is_shown_in_a_browser(),

    bounded::memory_stays_within_its_budget,
    bounded::writes_to_many_places_leave_the_others_alone,
    bounded::what_matching_costs_is_not_the_clients_to_say,
    bounded::what_is_stored_shows_no_secret,

    caching::a_miss_is_followed_by_a_hit,
    caching::a_reload_is_still_a_hit,
    caching::stale_is_served_while_a_request_refreshes_behind_it,
    caching::a_304_confirms_what_is_stored,
    caching::concurrent_misses_are_one_request_to_the_origin if |runtime| runtime.collapses(),
    caching::concurrent_misses_of_many_instances_are_one_request_to_the_origin if |runtime| runtime.shares_a_redis(),
    caching::what_is_stored_survives_a_restart_of_the_edge,
    caching::what_is_stored_survives_the_loss_of_an_instance if |runtime| runtime.loses_instances(),
    caching::parameters_that_change_nothing_share_one_entry,
    caching::an_unsafe_request_makes_what_is_stored_invalid,

    negotiating::variants_are_told_apart_by_language,
    negotiating::a_head_is_answered_from_what_a_get_stored,
    negotiating::ranges_are_cut_from_what_is_stored,
    negotiating::a_part_shows_whether_the_whole_is_worth_fetching,
    negotiating::conditions_are_answered_from_what_is_stored,
    negotiating::a_compressed_body_is_passed_on_byte_for_byte,
    negotiating::who_accepts_no_coding_gets_none,

    sharing::a_private_answer_is_never_shared,
    sharing::an_answer_to_a_request_with_credentials_is_never_shared,
    sharing::an_answer_that_sets_a_cookie_is_never_shared,
    sharing::what_a_client_says_reaches_the_origin_and_nobody_else,
    sharing::credentials_that_are_stripped_share_one_entry,

    passing::a_post_passes_whole_and_is_not_cached,
    passing::a_route_that_is_not_cached_passes_each_time,
    passing::methods_pass_by_their_own_names,
    passing::a_target_reaches_the_origin_as_it_was_keyed,
    passing::redirects_are_not_followed,
    passing::each_set_cookie_stays_a_line_of_its_own,
    passing::what_belongs_to_one_connection_is_not_passed_on,
    passing::every_answer_says_what_became_of_its_request,

    streaming::a_large_answer_streams_in_lock_step_and_bounded_memory,
    streaming::a_large_request_streams_in_lock_step_and_bounded_memory,
    streaming::a_reader_who_is_slow_fills_no_memory,
    streaming::server_sent_events_pass_as_they_come,
    streaming::an_answer_that_breaks_off_is_seen_to_and_not_stored,
    sockets::a_websocket_passes_both_ways if |runtime| runtime.upgrades(),

    failing::stale_is_served_while_the_origin_is_dead,
    failing::without_a_copy_a_dead_origin_is_a_clear_502,
    failing::the_box_office_dies_and_its_pages_are_still_served,

    guarding::a_host_that_is_not_listed_is_refused,
    guarding::a_request_that_goes_in_a_circle_is_refused,
    guarding::a_target_that_cannot_be_read_is_refused,
    guarding::the_status_page_is_open_on_ones_own_machine,
    guarding::the_status_page_asks_for_a_token_elsewhere,

    opening::explain_explains_no_page_of_the_edges_own,
    opening::what_explain_sends_carries_no_length_without_its_body,
    opening::the_edge_is_open_to_its_own_machine_alone,
    opening::the_edges_own_pages_are_neither_stored_nor_guessed_at,
    opening::only_if_cached_never_reaches_the_origin,
    opening::explain_shows_what_was_decided,

    framing::a_length_beside_chunks_means_nothing,
    framing::what_ends_early_never_looks_whole,
    framing::messages_without_a_body_have_none,
    framing::a_request_is_one_request_or_none,
    framing::a_malformed_body_is_its_clients_fault,
    framing::a_status_that_cannot_be_carried_is_named,
    framing::a_request_with_content_is_not_answered_from_the_cache,
    heads::odd_heads_of_origins_pass,
    heads::a_host_is_a_host_and_a_port,
    heads::a_line_ends_as_a_line_does if |runtime| runtime.reads_heads_itself(),
    heads::trace_and_connect_end_at_the_edge,
    heads::only_a_websocket_is_upgraded,
    heads::a_request_to_upgrade_is_not_answered_from_the_cache,

    stalls::uploads_that_do_not_come_take_no_place,
    stalls::an_upload_that_trickles_is_given_up,
    stalls::one_client_leaves_places_to_others if |runtime| runtime.collapses(),
    stalls::an_origin_that_stops_in_a_body_holds_nobody,
    stalls::a_client_that_does_not_read_is_let_go,
    stalls::connections_are_capped_and_idle_ones_go_first if |runtime| runtime.owns_connections(),
    stalls::nobody_waits_for_the_end_of_a_stream,

    owning::a_fill_goes_on_when_its_client_has_gone,
    owning::a_failure_is_told_to_all_who_wait_for_it if |runtime| runtime.collapses(),
    owning::known_variants_are_fetched_side_by_side,

    lasting::a_connection_that_closes_as_it_is_used_is_no_failure if |runtime| runtime.sees_kept_alive_close(),
    lasting::a_lost_write_moves_no_one_elses,
    lasting::bytes_that_nobody_asked_for_answer_nobody,

    parts::a_part_of_what_is_not_stored_is_a_part,
    parts::conditions_hold_whether_or_not_it_is_stored,
    parts::a_part_says_nothing_of_the_content_of_the_whole,
    parts::a_416_answers_no_one_else,

    changing::a_cookie_of_a_304_is_for_one_client,
    changing::a_304_for_one_origin_is_not_for_another,
    changing::a_304_that_varies_is_for_one_variant,
    changing::a_304_with_another_validator_confirms_nothing,
    changing::a_lifetime_of_ours_is_for_what_succeeds,
    changing::an_error_leaves_a_good_entry_alone,
    changing::what_is_gone_is_gone,
    changing::what_cannot_be_parsed_forbids,
    changing::connection_removes_no_field_that_matters,

    keying::the_key_is_of_the_request_that_is_sent,
    keying::edges_that_point_at_each_other_are_a_circle,
    keying::a_byte_above_ascii_hides_no_cookie,
    keying::bytes_above_ascii_tell_keys_apart,
    keying::each_spelling_of_a_path_is_one_place,

    selling::an_order_sent_twice_is_made_once,
    selling::a_seat_is_sold_to_one_of_many_who_want_it,
    selling::a_seat_that_is_sold_is_soon_seen_taken,
    promised::each_answer_of_the_box_office_is_cached_as_its_documentation_says,
}

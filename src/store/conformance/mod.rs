//! One suite of promises, held against every store.

mod appends;
mod contacts;
mod files;
mod fixture;
mod followed;
mod following;
mod history;
mod logins;
mod marks;
mod people;
mod projection;
mod records;
mod rooms;

/// Runs cases on a store that the fixture of this name makes.
macro_rules! cases {
    ($fixture:ident { $($module:ident: $($case:ident),+;)+ }) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$module::$case(&super::fixture::$fixture().await).await;
            }
        )+)+
    };
}

/// Runs every case on every store that is a log too.
macro_rules! of_logs {
    ($($cases:tt)+) => {
        mod log_in_memory {
            cases!(memory { $($cases)+ });
        }

        mod log_in_sqlite {
            cases!(sqlite { $($cases)+ });
        }

        mod log_in_a_cluster {
            cases!(cluster { $($cases)+ });
        }
    };
}

/// Runs every case on every store.
macro_rules! of_directories {
    ($($cases:tt)+) => {
        mod in_memory {
            cases!(memory { $($cases)+ });
        }

        mod in_sqlite {
            cases!(sqlite { $($cases)+ });
        }

        mod in_postgres {
            cases!(postgres { $($cases)+ });
        }

        mod in_a_cluster {
            cases!(cluster { $($cases)+ });
        }
    };
}

/// Runs every case on every directory that follows a log elsewhere.
macro_rules! of_projections {
    ($($cases:tt)+) => {
        mod follows_in_postgres {
            cases!(postgres { $($cases)+ });
        }
    };
}

of_logs! {
    appends:
        events_are_kept_in_order_and_read_in_pages,
        every_append_is_told_its_fate_once,
        a_write_is_found_by_its_key,
        a_room_that_was_not_woken_writes_nothing,
        a_newer_wake_fences_off_older_ones,
        a_wake_under_an_older_epoch_is_refused,
        a_new_claim_fences_off_the_epoch_before,
        a_claim_leaves_rooms_of_the_new_epoch_alone,
        a_failure_leaves_no_hole,
        a_key_that_is_there_is_not_written_twice,
        a_room_wakes_as_it_was_left,
        there_is_no_waking_what_is_not_there,
        rooms_do_not_disturb_each_other;
    history:
        windows_show_what_they_say,
        nothing_before_the_visible_part_is_shown,
        other_events_are_no_messages,
        messages_carry_replies_and_names;
}

of_directories! {
    marks:
        marks_only_move_forwards,
        marks_stop_at_the_head,
        what_is_read_is_delivered,
        unread_counts_the_messages_after_the_mark,
        what_was_said_before_somebody_came_is_not_unread,
        marks_of_many_are_answered_in_order;
    projection:
        joining_and_leaving,
        roles_and_mutes,
        bans_outlast_leaving,
        what_a_member_sees_depends_on_the_room,
        a_channel_makes_readers,
        the_room_changes_and_ends,
        edits_show_the_newest_text,
        a_delete_takes_every_word_away,
        reactions_are_counted_once_per_person;
    people:
        an_account_is_found_again,
        names_that_are_taken_stay_with_their_owner,
        of_two_who_want_a_handle_one_gets_it,
        a_profile_changes_field_by_field,
        people_are_found_by_handle_and_name,
        failed_tries_are_counted_and_forgotten,
        being_seen_never_goes_back,
        an_erased_account_leaves_only_an_id;
    logins:
        a_token_leads_to_its_login,
        a_token_expires,
        who_is_shut_out_has_no_token,
        a_login_ends_at_once,
        all_logins_but_one_end,
        a_new_password_ends_the_other_logins,
        logins_are_listed_newest_first,
        being_used_never_goes_back,
        the_token_of_a_login_is_known_by_its_digest;
    rooms:
        a_room_begins_with_its_events,
        two_people_have_one_direct_room,
        who_blocks_whom_is_known_on_waking,
        rooms_are_listed_newest_activity_first,
        a_listing_shows_what_its_reader_may_see,
        public_rooms_are_found_by_name,
        operators_find_rooms_by_name_and_id,
        members_are_listed_by_role_then_time,
        what_members_want_to_be_told,
        counts_leave_out_what_is_gone;
    contacts:
        an_invitation_is_accepted,
        two_who_invite_each_other_at_once_are_contacts,
        a_contact_ends_for_both,
        contacts_and_blocks_are_listed_by_handle,
        a_block_ends_a_contact;
    files:
        what_a_user_keeps_is_counted,
        a_file_is_what_it_was_found_to_be,
        a_file_is_read_by_who_sees_a_message_that_carries_it,
        a_file_goes_with_the_last_message_that_carries_it,
        files_go_with_their_room_and_with_their_account,
        what_nobody_uses_goes_after_a_while,
        messages_show_what_they_carry;
    records:
        answers_are_kept_per_user_and_key,
        the_audit_log_is_read_newest_first,
        only_ones_own_cursor_goes_on;
}

of_projections! {
    following:
        a_room_stands_as_it_began,
        a_run_is_applied_once,
        a_run_with_events_missing_before_it_changes_nothing,
        a_run_that_was_applied_in_part_goes_on,
        a_run_of_another_room_or_order_is_refused,
        many_who_come_together_are_one_room,
        heads_only_move_forwards,
        a_published_head_applies_what_changes_nothing,
        what_a_room_began_with_is_kept_until_its_log_has_it,
        two_nodes_that_follow_the_same_room_agree,
        many_nodes_that_note_the_same_do_not_wait_for_each_other,
        counted_marks_keep_the_count_of_the_furthest,
        marks_may_be_ahead_of_the_published_head;
}

<?php
/**
 * Removes what the plugin stored; comments stay, and what the desk knows stays with the desk.
 *
 * @package Comment_Desk
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

global $wpdb;

delete_option( 'comment_desk' );
delete_option( 'comment_desk_history' );
delete_option( 'comment_desk_sending' );
// phpcs:disable WordPress.DB.DirectDatabaseQuery
$wpdb->query( "DELETE FROM {$wpdb->options} WHERE option_name LIKE 'comment\\_desk\\_out\\_%'" );
$wpdb->query( "DELETE FROM {$wpdb->commentmeta} WHERE meta_key LIKE '\\_comment\\_desk\\_%'" );
// phpcs:enable

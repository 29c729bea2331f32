<?php
/**
 * Plugin Name:       Comment Desk
 * Description:       Lets a self-hosted comment desk decide which comments are published, which wait for a person, and which never appear.
 * Version:           0.1.0
 * Requires at least: 5.6
 * Requires PHP:      7.4
 * License:           Apache-2.0
 * Text Domain:       comment-desk
 * Domain Path:       /languages
 *
 * @package Comment_Desk
 */

defined( 'ABSPATH' ) || exit;

define( 'COMMENT_DESK_VERSION', '0.1.0' );
define( 'COMMENT_DESK_FILE', __FILE__ );

foreach ( array( 'settings', 'client', 'comments', 'events', 'outbox', 'moderators', 'reasons', 'columns', 'privacy', 'history', 'akismet', 'admin' ) as $comment_desk_part ) {
	require_once __DIR__ . '/includes/class-comment-desk-' . $comment_desk_part . '.php';
}
unset( $comment_desk_part );

add_action(
	'init',
	static function () {
		load_plugin_textdomain( 'comment-desk', false, dirname( plugin_basename( COMMENT_DESK_FILE ) ) . '/languages' );
	}
);

Comment_Desk_Outbox::register();
Comment_Desk_Comments::register();
Comment_Desk_Events::register();
Comment_Desk_Moderators::register();
Comment_Desk_Privacy::register();
Comment_Desk_History::register();
Comment_Desk_Akismet::register();
Comment_Desk_Columns::register();
Comment_Desk_Admin::register();

register_activation_hook( __FILE__, array( 'Comment_Desk_History', 'offer' ) );
register_deactivation_hook( __FILE__, array( 'Comment_Desk_Outbox', 'unschedule' ) );

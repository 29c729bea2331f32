<?php
/**
 * What the desk has to hear, kept until it has heard it.
 *
 * @package Comment_Desk
 */

defined( 'ABSPATH' ) || exit;

/**
 * A queue in the options table, one row a message, sent at the end of the request and again by cron.
 */
class Comment_Desk_Outbox {

	const PREFIX    = 'comment_desk_out_';
	const HOOK      = 'comment_desk_retry';
	const LOCK      = 'comment_desk_sending';
	const MOST      = 5000;
	const AT_ONCE   = 50;
	const LONGEST_S = 30;
	const LOCK_S    = 120;
	const GIVE_UP_S = 2592000; // 30 days.

	/**
	 * Hook in.
	 */
	public static function register() {
		// phpcs:ignore WordPress.WP.CronInterval.CronSchedulesInterval -- five minutes is what a waiting reader may expect.
		add_filter( 'cron_schedules', array( __CLASS__, 'schedule' ) );
		add_action( self::HOOK, array( __CLASS__, 'run' ) );
		add_action(
			'init',
			static function () {
				if ( Comment_Desk_Settings::is_complete() && ! wp_next_scheduled( self::HOOK ) ) {
					wp_schedule_event( time(), 'comment_desk', self::HOOK );
				}
			}
		);
	}

	/**
	 * Every five minutes.
	 *
	 * @param array $schedules WordPress's.
	 * @return array
	 */
	public static function schedule( $schedules ) {
		$schedules['comment_desk'] = array(
			'interval' => 300,
			'display'  => 'Comment Desk',
		);
		return $schedules;
	}

	/**
	 * Stop the cron.
	 */
	public static function unschedule() {
		wp_clear_scheduled_hook( self::HOOK );
		wp_clear_scheduled_hook( Comment_Desk_History::HOOK );
	}

	/**
	 * Keep a message and send it when this request is done.
	 *
	 * @param array $message With method, path, body, headers, comment (id or 0).
	 * @return bool False when the outbox is full.
	 */
	public static function put( $message ) {
		if ( self::count() >= self::MOST ) {
			return false;
		}
		$message['at'] = time();
		$name          = self::PREFIX . sprintf( '%017.0f', microtime( true ) * 1000000 ) . '_' . wp_generate_password( 6, false );
		add_option( $name, $message, '', 'no' );
		self::wake();
		return true;
	}

	/**
	 * Send when the reader or moderator has their answer.
	 */
	public static function wake() {
		if ( ! has_action( 'shutdown', array( __CLASS__, 'run_after_answer' ) ) ) {
			add_action( 'shutdown', array( __CLASS__, 'run_after_answer' ), 99 );
		}
	}

	/**
	 * Let the answer go first, where the server can.
	 */
	public static function run_after_answer() {
		if ( function_exists( 'fastcgi_finish_request' ) ) {
			fastcgi_finish_request();
		}
		self::run();
	}

	/**
	 * Send what waits, oldest first; one process at a time; stops at the first that must wait.
	 */
	public static function run() {
		if ( ! Comment_Desk_Settings::is_complete() || ! self::lock() ) {
			return;
		}
		$until = time() + self::LONGEST_S;
		try {
			foreach ( self::names() as $name ) {
				if ( time() > $until || ! self::send( $name ) ) {
					return;
				}
			}
			foreach ( self::pending() as $comment ) {
				if ( time() > $until || ! Comment_Desk_Comments::send_pending( $comment ) ) {
					return;
				}
			}
		} finally {
			delete_option( self::LOCK );
		}
	}

	/**
	 * How many messages wait.
	 *
	 * @return int
	 */
	public static function count() {
		global $wpdb;
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery
		return (int) $wpdb->get_var( $wpdb->prepare( "SELECT COUNT(*) FROM {$wpdb->options} WHERE option_name LIKE %s", $wpdb->esc_like( self::PREFIX ) . '%' ) );
	}

	/**
	 * How many comments wait for the desk.
	 *
	 * @return int
	 */
	public static function count_pending() {
		return (int) get_comments( self::of_pending() + array( 'count' => true ) );
	}

	/**
	 * Send one message; false when it must wait.
	 *
	 * @param string $name Its option.
	 * @return bool
	 */
	private static function send( $name ) {
		$message = get_option( $name );
		if ( ! is_array( $message ) ) {
			delete_option( $name );
			return true;
		}
		$answer = Comment_Desk_Client::call( $message['method'], $message['path'], $message['body'], $message['headers'] );
		if ( Comment_Desk_Client::is_worth_a_retry( $answer['status'] ) && time() - $message['at'] < self::GIVE_UP_S ) {
			return false;
		}
		delete_option( $name );
		if ( $message['comment'] ) {
			Comment_Desk_Moderators::told( (int) $message['comment'], $message, $answer );
		}
		return true;
	}

	/**
	 * The messages, oldest first.
	 *
	 * @return string[]
	 */
	private static function names() {
		global $wpdb;
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery
		return $wpdb->get_col( $wpdb->prepare( "SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE %s ORDER BY option_name LIMIT %d", $wpdb->esc_like( self::PREFIX ) . '%', self::AT_ONCE ) );
	}

	/**
	 * Comments stored while the desk was away, oldest first.
	 *
	 * @return WP_Comment[]
	 */
	private static function pending() {
		return get_comments(
			self::of_pending() + array(
				'number'  => self::AT_ONCE,
				'orderby' => 'comment_ID',
				'order'   => 'ASC',
			)
		);
	}

	/**
	 * The query for them.
	 *
	 * @return array
	 */
	private static function of_pending() {
		return array(
			'meta_key'     => Comment_Desk_Comments::PENDING, // phpcs:ignore WordPress.DB.SlowDBQuery
			'meta_compare' => 'EXISTS',
			'status'       => 'all',
		);
	}

	/**
	 * Take the lock; one that is too old was left by a request that died.
	 *
	 * @return bool
	 */
	private static function lock() {
		if ( add_option( self::LOCK, time(), '', 'no' ) ) {
			return true;
		}
		if ( time() - (int) get_option( self::LOCK ) < self::LOCK_S ) {
			return false;
		}
		delete_option( self::LOCK );
		return add_option( self::LOCK, time(), '', 'no' );
	}
}

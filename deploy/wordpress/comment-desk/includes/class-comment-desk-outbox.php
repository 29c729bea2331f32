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
	const PATIENCE  = 10; // Messages that may have to wait in one run before it ends.
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
	 * Send what waits, oldest first; one process at a time. What must wait holds up later words about the same comment, and no others.
	 */
	public static function run() {
		if ( ! Comment_Desk_Settings::is_complete() || ! self::lock() ) {
			return;
		}
		$until = time() + self::LONGEST_S;
		try {
			if ( self::send_messages( $until ) ) {
				self::send_comments( $until );
			}
		} finally {
			delete_option( self::LOCK );
		}
	}

	/**
	 * Send the messages; false when this run is over, for the desk does not answer or the time is up.
	 *
	 * @param int $until Unix time.
	 * @return bool
	 */
	private static function send_messages( $until ) {
		$waiting = array();
		$failed  = 0;
		$last    = '';
		do {
			$names = self::names( $last );
			foreach ( $names as $name ) {
				$last    = $name;
				$message = get_option( $name );
				$subject = self::subject( $message );
				if ( isset( $waiting[ $subject ] ) || ! self::is_due( $message ) ) {
					$waiting[ $subject ] = true;
					continue;
				}
				$status = self::send( $name, $message );
				if ( Comment_Desk_Client::is_worth_a_retry( $status ) || 409 === $status ) {
					$waiting[ $subject ] = true;
					$failed             += 409 === $status ? 0 : 1;
				}
				if ( time() > $until || self::is_about_everything( $status ) || $failed >= self::PATIENCE ) {
					return false;
				}
			}
		} while ( $names );
		return true;
	}

	/**
	 * Send the comments that were stored while the desk was away, those first that were tried least lately.
	 *
	 * @param int $until Unix time.
	 */
	private static function send_comments( $until ) {
		foreach ( self::pending() as $comment ) {
			if ( time() > $until || self::is_about_everything( Comment_Desk_Comments::send_pending( $comment ) ) ) {
				return;
			}
		}
	}

	/**
	 * Whether a status says nothing of one message: the desk does not answer, or does not know the key.
	 *
	 * @param int $status Status of `Comment_Desk_Client::call`.
	 * @return bool
	 */
	private static function is_about_everything( $status ) {
		return 0 === $status || 401 === $status;
	}

	/**
	 * Whether a message may be tried (again).
	 *
	 * @param mixed $message As stored.
	 * @return bool
	 */
	private static function is_due( $message ) {
		return ! is_array( $message ) || empty( $message['not_before'] ) || $message['not_before'] <= time();
	}

	/**
	 * What a message is about: messages about the same comment keep their order.
	 *
	 * @param mixed $message As stored.
	 * @return string
	 */
	private static function subject( $message ) {
		$path = is_array( $message ) && isset( $message['path'] ) ? (string) $message['path'] : '';
		return preg_match( '#^/v1/comments/[^/]+#', $path, $found ) ? $found[0] : $path;
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
	 * Send one message, and keep it for later where that may help: after a minute, then twice as long each time, up to an hour.
	 *
	 * @param string $name    Its option.
	 * @param mixed  $message What is stored there.
	 * @return int The desk's status; 200 for what is no message.
	 */
	private static function send( $name, $message ) {
		if ( ! is_array( $message ) ) {
			delete_option( $name );
			return 200;
		}
		$answer = Comment_Desk_Client::call( $message['method'], $message['path'], $message['body'], $message['headers'] );
		$status = $answer['status'];
		if ( Comment_Desk_Client::is_worth_a_retry( $status ) && time() - $message['at'] < self::GIVE_UP_S ) {
			if ( ! self::is_about_everything( $status ) ) {
				$message['tries']      = isset( $message['tries'] ) ? $message['tries'] + 1 : 1;
				$message['not_before'] = time() + min( HOUR_IN_SECONDS, MINUTE_IN_SECONDS * pow( 2, min( 6, $message['tries'] - 1 ) ) );
				update_option( $name, $message, false );
			}
			return $status;
		}
		$next = $message['comment'] ? Comment_Desk_Moderators::next( (int) $message['comment'], $message, $answer ) : null;
		if ( null !== $next ) {
			return self::send_in_its_place( $name, $next + array( 'at' => $message['at'] ) );
		}
		delete_option( $name );
		if ( $message['comment'] ) {
			Comment_Desk_Moderators::told( (int) $message['comment'], $message, $answer );
		}
		return 200;
	}

	/**
	 * Send what follows on a message before anything that came after it; now, or when it is time.
	 *
	 * @param string $name    Its option.
	 * @param array  $message What takes its place.
	 * @return int As `send`; 409 where it has to wait.
	 */
	private static function send_in_its_place( $name, $message ) {
		update_option( $name, $message, false );
		return self::is_due( $message ) ? self::send( $name, $message ) : 409;
	}

	/**
	 * Whether something about a comment waits to be told.
	 *
	 * @param string $id The desk's id of it.
	 * @return bool
	 */
	public static function is_waiting( $id ) {
		global $wpdb;
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery
		return null !== $wpdb->get_var( $wpdb->prepare( "SELECT option_id FROM {$wpdb->options} WHERE option_name LIKE %s AND option_value LIKE %s LIMIT 1", $wpdb->esc_like( self::PREFIX ) . '%', '%' . $wpdb->esc_like( "/v1/comments/$id" ) . '%' ) );
	}

	/**
	 * The messages, oldest first.
	 *
	 * @param string $after Only those after this one.
	 * @return string[]
	 */
	private static function names( $after = '' ) {
		global $wpdb;
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery
		return $wpdb->get_col( $wpdb->prepare( "SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE %s AND option_name > %s ORDER BY option_name LIMIT %d", $wpdb->esc_like( self::PREFIX ) . '%', $after, self::AT_ONCE ) );
	}

	/**
	 * Comments stored while the desk was away; the mark says when each was tried last.
	 *
	 * @return WP_Comment[]
	 */
	private static function pending() {
		return get_comments(
			self::of_pending() + array(
				'number'  => self::AT_ONCE,
				'orderby' => array(
					'meta_value_num' => 'ASC',
					'comment_ID'     => 'ASC',
				),
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

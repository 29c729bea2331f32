<?php
/**
 * Sends what the site's moderators decided before, so that the desk can learn from it.
 *
 * @package Comment_Desk
 */

defined( 'ABSPATH' ) || exit;

/**
 * Works through the comments table by cron, a bounded number at a time, and goes on where it stopped.
 */
class Comment_Desk_History {

	const HOOK    = 'comment_desk_history';
	const OPTION  = 'comment_desk_history';
	const AT_ONCE = 200;

	/**
	 * Hook in.
	 */
	public static function register() {
		add_action( self::HOOK, array( __CLASS__, 'run' ) );
		add_action( 'admin_notices', array( __CLASS__, 'notice' ) );
		add_action( 'admin_post_comment_desk_history', array( __CLASS__, 'answer_offer' ) );
	}

	/**
	 * On the first activation: ask once.
	 */
	public static function offer() {
		add_option( self::OPTION, array( 'state' => 'offered' ), '', 'no' );
	}

	/**
	 * How far it is.
	 *
	 * @return array{state: string, after: int, sent: int, refused: int, problem: string}
	 */
	public static function progress() {
		$stored = get_option( self::OPTION, array() );
		return array_merge(
			array(
				'state'   => 'none',
				'after'   => 0,
				'sent'    => 0,
				'refused' => 0,
				'problem' => '',
			),
			is_array( $stored ) ? $stored : array()
		);
	}

	/**
	 * Offer it to who may decide, once the settings are complete.
	 */
	public static function notice() {
		if ( 'offered' !== self::progress()['state'] || ! Comment_Desk_Settings::is_complete() || ! current_user_can( 'manage_options' ) ) {
			return;
		}
		echo '<div class="notice notice-info"><p>';
		esc_html_e( 'May Comment Desk send this site’s approved, spam and trashed comments to your desk, so that it learns from what your moderators decided? The desk is your own; nothing is published by it.', 'comment-desk' );
		echo '</p><form method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '"><p>';
		wp_nonce_field( 'comment_desk_history' );
		echo '<input type="hidden" name="action" value="comment_desk_history">';
		echo '<button class="button button-primary" name="choice" value="start">' . esc_html__( 'Send the history', 'comment-desk' ) . '</button> ';
		echo '<button class="button" name="choice" value="dismiss">' . esc_html__( 'No, thank you', 'comment-desk' ) . '</button>';
		echo '</p></form></div>';
	}

	/**
	 * Start, or never ask again.
	 */
	public static function answer_offer() {
		if ( ! current_user_can( 'manage_options' ) ) {
			wp_die( esc_html__( 'You may not do this.', 'comment-desk' ), '', array( 'response' => 403 ) );
		}
		check_admin_referer( 'comment_desk_history' );
		$choice = isset( $_POST['choice'] ) ? sanitize_key( $_POST['choice'] ) : '';
		if ( 'start' === $choice ) {
			self::start();
		} else {
			self::keep( array( 'state' => 'dismissed' ) );
		}
		wp_safe_redirect( admin_url( 'options-general.php?page=comment-desk' ) );
		exit;
	}

	/**
	 * Begin, or go on where it stopped.
	 */
	public static function start() {
		self::keep(
			array(
				'state'   => 'running',
				'problem' => '',
			)
		);
		if ( ! wp_next_scheduled( self::HOOK ) ) {
			wp_schedule_single_event( time(), self::HOOK );
		}
	}

	/**
	 * Send one batch and plan the next. Sent again after a break, a batch changes nothing: the ids are the same.
	 */
	public static function run() {
		$progress = self::progress();
		if ( 'running' !== $progress['state'] || ! Comment_Desk_Settings::is_complete() ) {
			return;
		}
		$comments = self::batch( (int) $progress['after'] );
		if ( ! $comments ) {
			self::keep( array( 'state' => 'done' ) );
			return;
		}
		$lines  = array_map( array( __CLASS__, 'line' ), $comments );
		$answer = Comment_Desk_Client::call( 'POST', '/v1/comments/batch', null, array( 'Content-Type' => 'application/x-ndjson' ), implode( "\n", $lines ) . "\n" );
		if ( 200 !== $answer['status'] ) {
			self::keep( array( 'problem' => (string) $answer['status'] ) );
			wp_schedule_single_event( time() + 300, self::HOOK );
			return;
		}
		self::take( $progress, $comments, explode( "\n", trim( $answer['text'] ) ) );
		wp_schedule_single_event( time() + 1, self::HOOK );
	}

	/**
	 * Keep what the desk answered; what it did not answer is sent again.
	 *
	 * @param array        $progress Before.
	 * @param WP_Comment[] $comments Sent.
	 * @param string[]     $answers  Lines.
	 */
	private static function take( $progress, $comments, $answers ) {
		foreach ( $comments as $number => $comment ) {
			$answer = isset( $answers[ $number ] ) ? json_decode( $answers[ $number ], true ) : null;
			if ( ! is_array( $answer ) || ! isset( $answer['status'] ) || $answer['status'] >= 500 ) {
				$progress['problem'] = 'line';
				break;
			}
			$progress['after'] = (int) $comment->comment_ID;
			if ( $answer['status'] < 300 ) {
				update_comment_meta( $comment->comment_ID, Comment_Desk_Comments::EXTERNAL_ID, self::external_id( $comment ) );
				update_comment_meta( $comment->comment_ID, Comment_Desk_Comments::ID, (string) $answer['id'] );
				update_comment_meta( $comment->comment_ID, Comment_Desk_Comments::REVISION, (int) $answer['revision'] );
				++$progress['sent'];
			} else {
				++$progress['refused'];
			}
		}
		self::keep( $progress );
	}

	/**
	 * One line of history: who decided is not known, what was decided is.
	 *
	 * @param WP_Comment $comment Comment.
	 * @return string
	 */
	public static function line( $comment ) {
		$written_at = mysql2date( 'c', str_replace( ' ', 'T', $comment->comment_date_gmt ) . 'Z', false );
		$line       = Comment_Desk_Comments::submission( $comment->to_array(), self::external_id( $comment ) );

		unset( $line['parent_id'] );
		$line['created_at'] = $written_at;
		$line['decided_at'] = $written_at;
		$line['state']      = '1' === (string) $comment->comment_approved ? 'approved' : 'rejected';
		if ( 'spam' === $comment->comment_approved ) {
			$line['reason'] = 'spam';
		}
		return wp_json_encode( $line );
	}

	/**
	 * The next comments that a person decided on and the desk has not seen: approved, spam, trash; none that waits.
	 *
	 * @param int $after Last id sent.
	 * @return WP_Comment[]
	 */
	private static function batch( $after ) {
		global $wpdb;
		// phpcs:disable WordPress.DB.DirectDatabaseQuery -- by id and not by page: pages shift while comments come in.
		$rows = $wpdb->get_results(
			$wpdb->prepare(
				"SELECT c.* FROM {$wpdb->comments} c LEFT JOIN {$wpdb->commentmeta} m ON m.comment_id = c.comment_ID AND m.meta_key = %s
				WHERE c.comment_ID > %d AND c.comment_approved IN ('1', 'spam', 'trash') AND c.comment_type IN ('', 'comment') AND m.meta_id IS NULL
				ORDER BY c.comment_ID LIMIT %d",
				Comment_Desk_Comments::EXTERNAL_ID,
				$after,
				self::AT_ONCE
			)
		);
		// phpcs:enable
		return array_map( 'get_comment', $rows );
	}

	/**
	 * The id of a comment that was not sent when it was written.
	 *
	 * @param WP_Comment $comment Comment.
	 * @return string
	 */
	private static function external_id( $comment ) {
		return 'wp-' . get_current_blog_id() . '-' . $comment->comment_ID;
	}

	/**
	 * Store the progress.
	 *
	 * @param array $changes Changed keys.
	 */
	private static function keep( $changes ) {
		update_option( self::OPTION, array_merge( self::progress(), $changes ), false );
	}
}

<?php
/**
 * The way of a comment: sent before it is stored, stored in the state that the desk gave it.
 *
 * @package Comment_Desk
 */

defined( 'ABSPATH' ) || exit;

/**
 * Asks the desk, and keeps its answer beside the comment.
 */
class Comment_Desk_Comments {

	const EXTERNAL_ID = '_comment_desk_external_id';
	const ID          = '_comment_desk_id';
	const REVISION    = '_comment_desk_revision';
	const SEQUENCE    = '_comment_desk_sequence';
	const VERDICT     = '_comment_desk_verdict';
	const PENDING     = '_comment_desk_pending';
	const DECIDED     = '_comment_desk_decided';

	/**
	 * What the desk said of the comment that is being stored in this request.
	 *
	 * @var array|null
	 */
	private static $answer = null;

	/**
	 * Whether a change of state comes from the desk and must not be told back.
	 *
	 * @var bool
	 */
	private static $is_applying = false;

	/**
	 * Hook in.
	 */
	public static function register() {
		add_filter( 'pre_comment_approved', array( __CLASS__, 'judge' ), 99, 2 );
		add_action( 'wp_insert_comment', array( __CLASS__, 'keep' ), 1, 2 ); // The form, and the REST API, which has no comment_post.
	}

	/**
	 * Whether the desk is asked: complete settings, and no Akismet plugin that asks it already.
	 *
	 * @return bool
	 */
	public static function is_native() {
		return Comment_Desk_Settings::is_complete() && ! Comment_Desk_Akismet::is_repointed();
	}

	/**
	 * Ask the desk before the comment is stored; what WordPress itself calls spam or trash is not asked about.
	 *
	 * Newer versions of WordPress call this twice for one comment, the second time with its text cleaned: it stays one comment of the desk,
	 * and is sent again only where the cleaning changed it.
	 *
	 * @param int|string|WP_Error $approved What WordPress would do.
	 * @param array               $data     The comment, slashed.
	 * @return int|string|WP_Error
	 */
	public static function judge( $approved, $data ) {
		$earlier      = self::$answer;
		self::$answer = null;
		if ( ! self::is_native() || is_wp_error( $approved ) || in_array( $approved, array( 'spam', 'trash' ), true ) || ! self::is_asked_about( $data ) ) {
			return $approved;
		}
		$which      = self::which( $data );
		$is_again   = null !== $earlier && $earlier['which'] === $which;
		$submission = self::submission( wp_unslash( $data ), $is_again ? $earlier['external_id'] : 'wp-' . wp_generate_uuid4() );
		if ( $is_again && $earlier['submission'] === $submission ) {
			self::$answer = $earlier;
			return self::becomes( $approved );
		}
		$answer = self::ask( $submission );
		if ( 422 === $answer['status'] ) {
			return new WP_Error( 'comment_desk_invalid', self::messages( $answer['body'] ), 422 );
		}
		if ( 429 === $answer['status'] ) {
			return new WP_Error( 'comment_flood', __( 'You are posting comments too quickly. Slow down.', 'comment-desk' ), 429 );
		}
		self::$answer = array(
			'which'       => $which,
			'submission'  => $submission,
			'external_id' => $submission['external_id'],
			'verdicts'    => $is_again ? $earlier['verdicts'] + 1 : 1,
			'is_judged'   => isset( $answer['body']['state'] ) && $answer['status'] < 300,
			'body'        => $answer['body'],
		);
		return self::becomes( $approved );
	}

	/**
	 * What becomes of the comment by the desk's answer, or by the site's choice where there is none.
	 *
	 * @param int|string $approved What WordPress would do.
	 * @return int|string
	 */
	private static function becomes( $approved ) {
		if ( self::$answer['is_judged'] ) {
			return self::status_of( self::$answer['body'] );
		}
		return 'publish' === Comment_Desk_Settings::get( 'outage' ) ? $approved : 0;
	}

	/**
	 * Send a comment; without its parent where the desk does not know that.
	 *
	 * @param array $submission As `submission` makes it.
	 * @return array The answer.
	 */
	private static function ask( $submission ) {
		$answer = Comment_Desk_Client::call( 'POST', '/v1/comments', $submission );
		if ( 422 === $answer['status'] && self::is_only_about_the_parent( $answer['body'] ) ) {
			unset( $submission['parent_id'] );
			$answer = Comment_Desk_Client::call( 'POST', '/v1/comments', $submission );
		}
		return $answer;
	}

	/**
	 * What stays the same of a comment whatever cleans its text and names.
	 *
	 * @param array $data The comment.
	 * @return string[]
	 */
	private static function which( $data ) {
		$kept = array();
		foreach ( array( 'comment_post_ID', 'comment_date_gmt', 'comment_author_IP' ) as $name ) {
			$kept[] = isset( $data[ $name ] ) ? (string) $data[ $name ] : '';
		}
		return $kept;
	}

	/**
	 * Keep the desk's answer beside the stored comment.
	 *
	 * @param int        $comment_id Comment.
	 * @param WP_Comment $comment    The same.
	 */
	public static function keep( $comment_id, $comment ) {
		$answer = self::$answer;
		if ( null === $answer || self::which( $comment->to_array() ) !== $answer['which'] ) {
			return;
		}
		self::$answer = null;
		update_comment_meta( $comment_id, self::EXTERNAL_ID, $answer['external_id'] );
		if ( $answer['is_judged'] ) {
			self::remember( $comment_id, $answer['body'] );
			update_comment_meta( $comment_id, self::SEQUENCE, $answer['verdicts'] ); // Their events come yet, and must not undo a quick click.
		} else {
			update_comment_meta( $comment_id, self::PENDING, time() );
			Comment_Desk_Outbox::wake();
		}
	}

	/**
	 * Send what was stored while the desk was away. What a moderator decided here meanwhile stands, and is told to the desk.
	 *
	 * @param WP_Comment $comment Comment with the mark PENDING.
	 * @return int The desk's status.
	 */
	public static function send_pending( $comment ) {
		$id         = (int) $comment->comment_ID;
		$submission = self::submission( $comment->to_array(), (string) get_comment_meta( $id, self::EXTERNAL_ID, true ) );
		$answer     = self::ask( $submission );
		if ( Comment_Desk_Client::is_worth_a_retry( $answer['status'] ) ) {
			update_comment_meta( $id, self::PENDING, time() );
			return $answer['status'];
		}
		if ( ! isset( $answer['body']['state'] ) ) {
			delete_comment_meta( $id, self::PENDING );
			// The desk refuses it for good, for a faulty field: a person decides here, and sees why.
			update_comment_meta( $id, self::VERDICT, wp_slash( array( 'error' => self::messages( $answer['body'] ) ) ) );
			return $answer['status'];
		}
		wp_cache_delete( $id, 'comment_meta' ); // Other requests take events meanwhile.
		if ( get_comment_meta( $id, self::SEQUENCE, true ) ) {
			delete_comment_meta( $id, self::PENDING ); // The desk had it, and an event told what became of it: its first answer, sent again, is older.
			return $answer['status'];
		}
		update_comment_meta( $id, self::SEQUENCE, 1 ); // The event of this verdict comes yet.
		self::take( $id, $answer['body'] );
		return $answer['status'];
	}

	/**
	 * Take what the desk says of a comment, unless a moderator decided here before the desk knew it: then the desk is told.
	 *
	 * @param int   $comment_id Comment.
	 * @param array $body       An answer or the data of an event.
	 */
	public static function take( $comment_id, $body ) {
		self::remember( $comment_id, $body );
		delete_comment_meta( $comment_id, self::PENDING );
		$decided = get_comment_meta( $comment_id, self::DECIDED, true );
		if ( ! is_array( $decided ) ) {
			self::apply( $comment_id, self::status_of( $body ) );
		} elseif ( delete_comment_meta( $comment_id, self::DECIDED ) ) { // Answer and event may come at once: one of them tells.
			Comment_Desk_Moderators::tell_decision( $comment_id, $decided );
		}
	}

	/**
	 * Remember verdict, reasons and scores.
	 *
	 * @param int   $comment_id Comment.
	 * @param array $body       The desk's answer.
	 */
	public static function remember( $comment_id, $body ) {
		update_comment_meta( $comment_id, self::ID, (string) $body['id'] );
		update_comment_meta( $comment_id, self::REVISION, (int) $body['revision'] );
		$verdict = array(
			'verdict' => isset( $body['verdict'] ) ? (string) $body['verdict'] : '',
			'reasons' => self::reasons( isset( $body['reasons'] ) ? $body['reasons'] : array() ),
			'scores'  => isset( $body['scores'] ) && is_array( $body['scores'] ) ? array_filter( $body['scores'], 'is_numeric' ) : array(),
			'by'      => isset( $body['decided_by'] ) ? (string) $body['decided_by'] : 'service',
		);
		update_comment_meta( $comment_id, self::VERDICT, wp_slash( $verdict ) );
	}

	/**
	 * Put a comment into a state because the desk says so.
	 *
	 * @param int        $comment_id Comment.
	 * @param int|string $approved   1, 0, spam or trash.
	 */
	public static function apply( $comment_id, $approved ) {
		$names = array(
			'1'     => 'approve',
			'0'     => 'hold',
			'spam'  => 'spam',
			'trash' => 'trash',
		);
		if ( (string) get_comment( $comment_id )->comment_approved === (string) $approved ) {
			return;
		}
		self::$is_applying = true;
		try {
			wp_set_comment_status( $comment_id, $names[ (string) $approved ] );
		} finally {
			self::$is_applying = false;
		}
	}

	/**
	 * Whether the change under way comes from the desk.
	 *
	 * @return bool
	 */
	public static function is_applying() {
		return self::$is_applying;
	}

	/**
	 * Return the comment of an external id, also one in the trash.
	 *
	 * @param string $external_id As sent.
	 * @return int 0 if there is none.
	 */
	public static function find( $external_id ) {
		global $wpdb;
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- get_comments() knows no cheap way to look for a meta value in every status.
		return (int) $wpdb->get_var( $wpdb->prepare( "SELECT comment_id FROM {$wpdb->commentmeta} WHERE meta_key = %s AND meta_value = %s LIMIT 1", self::EXTERNAL_ID, $external_id ) );
	}

	/**
	 * What WordPress calls the state that the desk gave.
	 *
	 * @param array $body An answer or the data of an event.
	 * @return int|string
	 */
	public static function status_of( $body ) {
		switch ( $body['state'] ) {
			case 'approved':
				return 1;
			case 'rejected':
				$codes = wp_list_pluck( isset( $body['reasons'] ) ? (array) $body['reasons'] : array(), 'code' );
				return in_array( 'spam', $codes, true ) ? 'spam' : 'trash';
			case 'deleted':
				return 'trash';
			default: // Held, and every state that this version does not know.
				return 0;
		}
	}

	/**
	 * The object of POST /v1/comments.
	 *
	 * @param array  $data        The comment, not slashed.
	 * @param string $external_id Our id of it.
	 * @return array
	 */
	public static function submission( $data, $external_id ) {
		$post_id = (int) $data['comment_post_ID'];
		$author  = array(
			'name'       => (string) $data['comment_author'],
			'email'      => (string) $data['comment_author_email'],
			'url'        => (string) $data['comment_author_url'],
			'ip'         => (string) $data['comment_author_IP'],
			'user_agent' => (string) $data['comment_agent'],
		);
		if ( ! empty( $data['user_id'] ) ) {
			$author['external_id'] = 'wp-user-' . (int) $data['user_id'];
		}
		$submission = array(
			'external_id' => $external_id,
			'thread'      => array(
				'id'    => (string) $post_id,
				'url'   => (string) get_permalink( $post_id ),
				'title' => html_entity_decode( wp_strip_all_tags( get_the_title( $post_id ) ), ENT_QUOTES, 'UTF-8' ),
			),
			'author'      => array_filter( $author, 'strlen' ),
			'text'        => self::plain( (string) $data['comment_content'] ),
		);
		$parent     = empty( $data['comment_parent'] ) ? '' : (string) get_comment_meta( (int) $data['comment_parent'], self::ID, true );
		if ( '' !== $parent ) {
			$submission['parent_id'] = $parent;
		}
		return $submission;
	}

	/**
	 * The text as a reader sees it; the addresses of links stay visible, for they are what spam is about.
	 *
	 * @param string $html A comment's content.
	 * @return string
	 */
	public static function plain( $html ) {
		$linked = preg_replace( '/<a\s[^>]*href\s*=\s*["\']?([^"\'\s>]+)[^>]*>(.*?)<\/a>/isu', '$2 $1', $html );
		return html_entity_decode( wp_strip_all_tags( null === $linked ? $html : $linked ), ENT_QUOTES, 'UTF-8' );
	}

	/**
	 * Readers' comments are asked about; pingbacks have no author to speak of, and who may moderate needs no leave.
	 *
	 * @param array $data The comment.
	 * @return bool
	 */
	private static function is_asked_about( $data ) {
		$type = isset( $data['comment_type'] ) ? $data['comment_type'] : '';
		$user = isset( $data['user_id'] ) ? (int) $data['user_id'] : 0;
		return in_array( $type, array( '', 'comment' ), true ) && ! ( $user && user_can( $user, 'moderate_comments' ) );
	}

	/**
	 * Codes and words of the reasons.
	 *
	 * @param mixed $reasons As the desk gave them.
	 * @return array
	 */
	private static function reasons( $reasons ) {
		$kept = array();
		foreach ( is_array( $reasons ) ? $reasons : array() as $reason ) {
			if ( isset( $reason['code'] ) ) {
				$kept[] = array(
					'code'    => (string) $reason['code'],
					'message' => isset( $reason['message'] ) ? (string) $reason['message'] : (string) $reason['code'],
				);
			}
		}
		return $kept;
	}

	/**
	 * What the desk finds wrong, in the reader's language.
	 *
	 * @param array $body A problem detail.
	 * @return string
	 */
	private static function messages( $body ) {
		$messages = wp_list_pluck( isset( $body['errors'] ) ? (array) $body['errors'] : array(), 'message' );
		return $messages ? implode( ' ', array_map( 'esc_html', $messages ) ) : __( 'The comment was not accepted.', 'comment-desk' );
	}

	/**
	 * Whether a comment was refused because the desk does not know what it replies to.
	 *
	 * @param array $body A problem detail.
	 * @return bool
	 */
	private static function is_only_about_the_parent( $body ) {
		$pointers = wp_list_pluck( isset( $body['errors'] ) ? (array) $body['errors'] : array(), 'pointer' );
		return array( '/parent_id' ) === $pointers;
	}
}

<?php
/**
 * What moderators do in WordPress is told to the desk: decisions, edits, deletions.
 *
 * @package Comment_Desk
 */

defined( 'ABSPATH' ) || exit;

/**
 * Listens to wp-admin.
 */
class Comment_Desk_Moderators {

	/**
	 * Hook in.
	 */
	public static function register() {
		add_action( 'transition_comment_status', array( __CLASS__, 'decided' ), 10, 3 );
		add_action( 'edit_comment', array( __CLASS__, 'edited' ), 10, 2 );
		add_action( 'delete_comment', array( __CLASS__, 'deleted' ), 10, 1 );
	}

	/**
	 * A person changed a comment's state. What came from the desk is not told back.
	 *
	 * @param string     $to      New status.
	 * @param string     $from    Old status.
	 * @param WP_Comment $comment Comment.
	 */
	public static function decided( $to, $from, $comment ) {
		if ( Comment_Desk_Comments::is_applying() || ( self::is_rejected( $to ) && self::is_rejected( $from ) && 'spam' !== $to ) ) {
			return;
		}
		$decisions = array(
			'approved'   => array( 'verdict' => 'approve' ),
			'unapproved' => array( 'verdict' => 'hold' ),
			'spam'       => array(
				'verdict' => 'reject',
				'reason'  => 'spam',
			),
			'trash'      => array(
				'verdict' => 'reject',
				'reason'  => 'other',
			),
		);
		if ( ! isset( $decisions[ $to ] ) ) {
			return;
		}
		$user     = wp_get_current_user();
		$decision = $decisions[ $to ] + array( 'moderator' => self::login( $user ) );
		if ( '' !== self::id_of( $comment->comment_ID ) ) {
			self::tell_decision( $comment->comment_ID, $decision );
		} elseif ( get_comment_meta( $comment->comment_ID, Comment_Desk_Comments::PENDING, true ) ) {
			update_comment_meta( $comment->comment_ID, Comment_Desk_Comments::DECIDED, wp_slash( $decision ) ); // Told once the desk knows the comment.
		}
	}

	/**
	 * Tell the desk what a person decided here about a comment that it knows.
	 *
	 * @param int|string $comment_id Comment.
	 * @param array      $decision   Verdict, reason, moderator.
	 */
	public static function tell_decision( $comment_id, $decision ) {
		$decision['revision'] = (int) get_comment_meta( (int) $comment_id, Comment_Desk_Comments::REVISION, true );
		$seen                 = (int) get_comment_meta( (int) $comment_id, Comment_Desk_Comments::SEQUENCE, true );
		self::tell( $comment_id, 'POST', '/v1/comments/' . self::id_of( $comment_id ) . '/decision', $decision, array( 'seen' => $seen ) );
	}

	/**
	 * Somebody edited a comment: the desk judges the new text. A comment that is published stays so where a moderator edited it, and the desk is
	 * told that they approve of the new text.
	 *
	 * @param int   $comment_id Comment.
	 * @param array $data       As stored.
	 */
	public static function edited( $comment_id, $data ) {
		$id = self::id_of( $comment_id );
		if ( '' === $id || ! isset( $data['comment_content'] ) ) {
			return;
		}
		$comment = get_comment( $comment_id );
		$edit    = array(
			'text'   => Comment_Desk_Comments::plain( $comment->comment_content ),
			'author' => array_filter(
				array(
					'name' => $comment->comment_author,
					'url'  => $comment->comment_author_url,
				),
				'strlen'
			),
		);
		$user  = wp_get_current_user();
		$stays = '1' === (string) $comment->comment_approved && $user && user_can( $user, 'moderate_comments' );
		$then  = array(
			'verdict'   => 'approve',
			'moderator' => self::login( $user ),
		);
		self::tell( $comment_id, 'PUT', "/v1/comments/$id", $edit, $stays ? array( 'then' => $then ) : array() );
	}

	/**
	 * A comment is deleted for good: the desk withdraws it.
	 *
	 * @param int $comment_id Comment, still there.
	 */
	public static function deleted( $comment_id ) {
		$id = self::id_of( $comment_id );
		if ( '' !== $id ) {
			self::tell( 0, 'DELETE', "/v1/comments/$id", null );
		}
	}

	/**
	 * The desk has heard; keep what it answered.
	 *
	 * @param int   $comment_id Comment.
	 * @param array $message    What was sent.
	 * @param array $answer     What came back.
	 */
	public static function told( $comment_id, $message, $answer ) {
		if ( ! get_comment( $comment_id ) ) {
			return;
		}
		if ( 200 === $answer['status'] && isset( $answer['body']['id'] ) ) {
			$is_new = (int) $answer['body']['revision'] > (int) get_comment_meta( $comment_id, Comment_Desk_Comments::REVISION, true );
			Comment_Desk_Comments::remember( $comment_id, $answer['body'] );
			if ( isset( $message['then'] ) ) {
				if ( $is_new ) { // The event of this verdict comes yet, and must not undo what is decided here.
					$seen = (int) get_comment_meta( $comment_id, Comment_Desk_Comments::SEQUENCE, true );
					update_comment_meta( $comment_id, Comment_Desk_Comments::SEQUENCE, $seen + 1 );
				}
				self::tell_decision( $comment_id, $message['then'] );
				return;
			}
			// Also after a decision: an event may have changed the state here before the desk heard of it.
			Comment_Desk_Comments::apply( $comment_id, Comment_Desk_Comments::status_of( $answer['body'] ) );
			return;
		}
		if ( 409 === $answer['status'] && 'POST' === $message['method'] ) {
			self::refused( $comment_id, $message, $answer['body'] );
		}
	}

	/**
	 * A decision was refused, for something stands in its way.
	 *
	 * @param int   $comment_id Comment.
	 * @param array $message    The decision.
	 * @param array $problem    What the desk said.
	 */
	private static function refused( $comment_id, $message, $problem ) {
		if ( isset( $problem['expires_at'] ) ) { // Somebody at the desk has reserved it: they decide, or let it go.
			$message['not_before'] = max( time(), (int) strtotime( (string) $problem['expires_at'] ) ) + 1;
			Comment_Desk_Outbox::put( $message );
		} elseif ( isset( $problem['sequence'] ) && (int) $problem['sequence'] > ( isset( $message['seen'] ) ? $message['seen'] : 0 ) ) {
			self::let_stand( $comment_id );
		} elseif ( empty( $message['again'] ) ) {
			self::decide_again( $comment_id, $message, $problem );
		}
	}

	/**
	 * Somebody decided otherwise at the desk, and whoever clicked here had not seen it: it stands, here too.
	 *
	 * @param int $comment_id Comment.
	 */
	private static function let_stand( $comment_id ) {
		$now = Comment_Desk_Client::call( 'GET', '/v1/comments/' . self::id_of( $comment_id ) );
		if ( isset( $now['body']['id'], $now['body']['sequence'] ) ) {
			Comment_Desk_Comments::take( $comment_id, $now['body'] );
			update_comment_meta( $comment_id, Comment_Desk_Comments::SEQUENCE, (int) $now['body']['sequence'] );
		}
	}

	/**
	 * The desk has a newer revision than the decision named: WordPress shows its own text, so decide on the newest. Or somebody decided otherwise
	 * before, and whoever clicked here saw that: name it, and the click replaces it.
	 *
	 * @param int   $comment_id Comment.
	 * @param array $message    The refused decision.
	 * @param array $problem    What the desk said.
	 */
	private static function decide_again( $comment_id, $message, $problem ) {
		if ( ! isset( $problem['revision'] ) ) {
			return;
		}
		update_comment_meta( $comment_id, Comment_Desk_Comments::REVISION, (int) $problem['revision'] );
		$message['body']['revision'] = (int) $problem['revision'];
		$message['again']            = true;
		if ( isset( $problem['sequence'] ) ) {
			$message['body']['sequence'] = (int) $problem['sequence'];
		}
		Comment_Desk_Outbox::put( $message );
	}

	/**
	 * Under which name the desk hears of somebody.
	 *
	 * @param WP_User $user Whoever is at work.
	 * @return string
	 */
	private static function login( $user ) {
		return $user && $user->exists() ? $user->user_login : 'wordpress';
	}

	/**
	 * Put a message into the outbox.
	 *
	 * @param int        $comment_id Comment, 0 if it is gone.
	 * @param string     $method     HTTP method.
	 * @param string     $path       Path.
	 * @param array|null $body       Body.
	 * @param array      $more       What is to be known once the desk has answered: `seen`, the latest decision known here; `then`, a decision to tell.
	 */
	private static function tell( $comment_id, $method, $path, $body, $more = array() ) {
		Comment_Desk_Outbox::put(
			array(
				'method'  => $method,
				'path'    => $path,
				'body'    => $body,
				'headers' => array(),
				'comment' => (int) $comment_id,
			) + $more
		);
	}

	/**
	 * The desk's id of a comment; empty if it never heard of it, or if the Akismet plugin speaks for it.
	 *
	 * @param int|string $comment_id Comment.
	 * @return string
	 */
	private static function id_of( $comment_id ) {
		return Comment_Desk_Settings::is_complete() ? (string) get_comment_meta( (int) $comment_id, Comment_Desk_Comments::ID, true ) : '';
	}

	/**
	 * Whether a status is one of rejected comments.
	 *
	 * @param string $status Status.
	 * @return bool
	 */
	private static function is_rejected( $status ) {
		return in_array( $status, array( 'spam', 'trash' ), true );
	}
}

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

	const MOST_TRIES = 3; // A decision may be on an older text and then meet another decision.

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
		Comment_Desk_Outbox::put( self::decision( $comment_id, $decision ) );
	}

	/**
	 * The message of a decision, with the latest one that is known here: `seen`.
	 *
	 * @param int|string $comment_id Comment.
	 * @param array      $decision   As the desk takes it.
	 * @return array
	 */
	private static function decision( $comment_id, $decision ) {
		$seen = (int) get_comment_meta( (int) $comment_id, Comment_Desk_Comments::SEQUENCE, true );
		$path = '/v1/comments/' . self::id_of( $comment_id ) . '/decision';
		return self::message( $comment_id, 'POST', $path, $decision ) + array( 'seen' => $seen );
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
		Comment_Desk_Outbox::put( self::message( $comment_id, 'PUT', "/v1/comments/$id", $edit ) + ( $stays ? array( 'then' => $then ) : array() ) );
	}

	/**
	 * A comment is deleted for good: the desk withdraws it.
	 *
	 * @param int $comment_id Comment, still there.
	 */
	public static function deleted( $comment_id ) {
		$id = self::id_of( $comment_id );
		if ( '' !== $id ) {
			Comment_Desk_Outbox::put( self::message( 0, 'DELETE', "/v1/comments/$id", null ) );
		}
	}

	/**
	 * What is to be sent in the place of a message that the desk has answered, before anything later about the same comment; null where it
	 * is done with.
	 *
	 * @param int   $comment_id Comment.
	 * @param array $message    What was sent.
	 * @param array $answer     What came back.
	 * @return array|null
	 */
	public static function next( $comment_id, $message, $answer ) {
		$body = is_array( $answer['body'] ) ? $answer['body'] : array();
		if ( 200 === $answer['status'] && isset( $message['then'], $body['revision'] ) ) {
			$seen = (int) get_comment_meta( $comment_id, Comment_Desk_Comments::SEQUENCE, true );
			if ( (int) $body['revision'] > (int) get_comment_meta( $comment_id, Comment_Desk_Comments::REVISION, true ) ) {
				// The event of the desk's own word on the new text comes yet, and is about to be replaced.
				update_comment_meta( $comment_id, Comment_Desk_Comments::SEQUENCE, $seen + 1 );
			}
			return self::decision( $comment_id, $message['then'] + array( 'revision' => (int) $body['revision'] ) );
		}
		if ( 409 !== $answer['status'] || 'POST' !== $message['method'] || ! get_comment( $comment_id ) ) {
			return null;
		}
		if ( isset( $body['expires_at'] ) ) { // Somebody at the desk has reserved it: they decide, or let it go.
			$message['not_before'] = max( time(), (int) strtotime( (string) $body['expires_at'] ) ) + 1;
			return $message;
		}
		$tries = isset( $message['again'] ) ? (int) $message['again'] : 0;
		$helps = isset( $body['revision'] ) && $tries < self::MOST_TRIES && ! self::is_news( $message, $body );
		return $helps ? self::again( $message, $body, $tries + 1 ) : null;
	}

	/**
	 * The same decision on the newest revision, for WordPress shows its own text. Or somebody decided otherwise before, and whoever clicked
	 * here saw that, or it was said here: it is named, and the click replaces it.
	 *
	 * @param array $message The refused decision.
	 * @param array $problem What the desk said.
	 * @param int   $tries   How often that was done with it.
	 * @return array
	 */
	private static function again( $message, $problem, $tries ) {
		$message['body']['revision'] = (int) $problem['revision'];
		$message['again']            = $tries;
		if ( isset( $problem['sequence'] ) ) {
			$message['body']['sequence'] = (int) $problem['sequence'];
		}
		return $message;
	}

	/**
	 * Whether somebody decided at the desk what whoever clicked here had not heard of.
	 *
	 * @param array $message The refused decision.
	 * @param array $problem What the desk said.
	 * @return bool
	 */
	private static function is_news( $message, $problem ) {
		$is_ours = isset( $problem['decided_by'] ) && 'site' === $problem['decided_by'];
		return isset( $problem['sequence'] ) && ! $is_ours && (int) $problem['sequence'] > ( isset( $message['seen'] ) ? $message['seen'] : 0 );
	}

	/**
	 * The desk has heard; keep what it answered. A later click that it has not heard yet is not undone by that.
	 *
	 * @param int   $comment_id Comment.
	 * @param array $message    What was sent.
	 * @param array $answer     What came back.
	 */
	public static function told( $comment_id, $message, $answer ) {
		if ( ! get_comment( $comment_id ) ) {
			return;
		}
		$body = $answer['body'];
		if ( 409 === $answer['status'] && 'POST' === $message['method'] && self::is_news( $message, $body ) ) {
			// It stands, here too.
			$body = Comment_Desk_Client::call( 'GET', '/v1/comments/' . self::id_of( $comment_id ) )['body'];
		} elseif ( 200 !== $answer['status'] ) {
			return;
		}
		if ( ! isset( $body['id'], $body['revision'], $body['state'] ) ) {
			return;
		}
		Comment_Desk_Comments::remember( $comment_id, $body );
		if ( isset( $body['sequence'] ) ) { // Events up to that one come yet, and are older than this.
			$seen = (int) get_comment_meta( $comment_id, Comment_Desk_Comments::SEQUENCE, true );
			update_comment_meta( $comment_id, Comment_Desk_Comments::SEQUENCE, max( $seen, (int) $body['sequence'] ) );
		}
		if ( ! Comment_Desk_Outbox::is_waiting( self::id_of( $comment_id ) ) ) {
			// Also after a decision: an event may have changed the state here before the desk heard of it.
			Comment_Desk_Comments::apply( $comment_id, Comment_Desk_Comments::status_of( $body ) );
		}
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
	 * A message for the outbox.
	 *
	 * @param int|string $comment_id Comment, 0 if it is gone.
	 * @param string     $method     HTTP method.
	 * @param string     $path       Path.
	 * @param array|null $body       Body.
	 * @return array With `then`, a decision that follows at once, where the caller adds it.
	 */
	private static function message( $comment_id, $method, $path, $body ) {
		return array(
			'method'  => $method,
			'path'    => $path,
			'body'    => $body,
			'headers' => array(),
			'comment' => (int) $comment_id,
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

<?php
/**
 * Hears the desk's decisions: events signed after Standard Webhooks, at a REST route.
 *
 * @package Comment_Desk
 */

defined( 'ABSPATH' ) || exit;

/**
 * Receives events.
 */
class Comment_Desk_Events {

	const TOLERANCE_S = 300;
	const PATIENCE_S  = 120;

	/**
	 * Hook in.
	 */
	public static function register() {
		add_action(
			'rest_api_init',
			static function () {
				register_rest_route(
					'comment-desk/v1',
					'/events',
					array(
						'methods'             => 'POST',
						'callback'            => array( __CLASS__, 'receive' ),
						'permission_callback' => array( __CLASS__, 'is_genuine' ),
					)
				);
			}
		);
	}

	/**
	 * Check the signature over the raw body; the secret is all that lets anybody in.
	 *
	 * @param WP_REST_Request $request Request.
	 * @return true|WP_Error
	 */
	public static function is_genuine( $request ) {
		$id        = (string) $request->get_header( 'webhook_id' );
		$timestamp = (string) $request->get_header( 'webhook_timestamp' );
		$refusal   = new WP_Error( 'comment_desk_signature', __( 'The signature does not hold.', 'comment-desk' ), array( 'status' => 401 ) );
		if ( '' === $id || ! preg_match( '/^\d{1,12}$/D', $timestamp ) || abs( time() - (int) $timestamp ) > self::TOLERANCE_S ) {
			return $refusal;
		}
		$given = explode( ' ', (string) $request->get_header( 'webhook_signature' ) );
		foreach ( Comment_Desk_Settings::secrets() as $secret ) {
			// phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_decode -- the format of the secret.
			$key = base64_decode( preg_replace( '/^whsec_/', '', $secret ), true );
			if ( false === $key || '' === $key ) {
				continue;
			}
			// phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- the format of the header.
			$expected = 'v1,' . base64_encode( hash_hmac( 'sha256', $id . '.' . $timestamp . '.' . $request->get_body(), $key, true ) );
			foreach ( $given as $signature ) {
				if ( hash_equals( $expected, $signature ) ) {
					return true;
				}
			}
		}
		return $refusal;
	}

	/**
	 * Take one event. What is older than what we saw, unknown, or our own doing changes nothing.
	 *
	 * @param WP_REST_Request $request Request, genuine.
	 * @return WP_REST_Response
	 */
	public static function receive( $request ) {
		$event = json_decode( $request->get_body(), true );
		$data  = is_array( $event ) && isset( $event['data'] ) && is_array( $event['data'] ) ? $event['data'] : array();
		if ( ! isset( $data['external_id'], $data['sequence'], $data['state'], $data['id'], $data['revision'] ) ) {
			return self::said( 'ignored' );
		}
		$comment_id = Comment_Desk_Comments::find( (string) $data['external_id'] );
		if ( ! $comment_id ) {
			// It may be a comment that this site is storing just now; later it is one that was deleted here.
			$age_s = time() - (int) strtotime( isset( $event['timestamp'] ) ? (string) $event['timestamp'] : '' );
			return $age_s < self::PATIENCE_S ? self::said( 'later', 503 ) : self::said( 'unknown' );
		}
		if ( (int) $data['sequence'] <= (int) get_comment_meta( $comment_id, Comment_Desk_Comments::SEQUENCE, true ) ) {
			return self::said( 'seen' );
		}
		$is_own = 'site' === ( isset( $data['decided_by'] ) ? $data['decided_by'] : '' );
		if ( ! $is_own ) {
			self::take( $comment_id, $data );
		}
		// Afterwards: if another plugin ends this request in the middle, the desk sends the event again, and it must not pass for seen.
		update_comment_meta( $comment_id, Comment_Desk_Comments::SEQUENCE, (int) $data['sequence'] );
		return self::said( $is_own ? 'own' : 'taken' );
	}

	/**
	 * Remember what was decided and put the comment into its state.
	 *
	 * @param int   $comment_id Comment.
	 * @param array $data       The event's data.
	 */
	private static function take( $comment_id, $data ) {
		$before = get_comment_meta( $comment_id, Comment_Desk_Comments::VERDICT, true );
		if ( is_array( $before ) && isset( $before['scores'] ) ) {
			$data['scores'] = $before['scores']; // Events carry none; a decision does not change them.
		}
		Comment_Desk_Comments::take( $comment_id, $data );
	}

	/**
	 * Answer.
	 *
	 * @param string $word   What became of the event.
	 * @param int    $status HTTP status.
	 * @return WP_REST_Response
	 */
	private static function said( $word, $status = 200 ) {
		return new WP_REST_Response( array( 'event' => $word ), $status );
	}
}

<?php
/**
 * WordPress's personal-data exporter and eraser reach the desk.
 *
 * @package Comment_Desk
 */

defined( 'ABSPATH' ) || exit;

/**
 * Hooks into Tools → Export and Erase Personal Data.
 */
class Comment_Desk_Privacy {

	const AT_ONCE = 100;

	/**
	 * Hook in.
	 */
	public static function register() {
		add_filter(
			'wp_privacy_personal_data_exporters',
			static function ( $exporters ) {
				$exporters['comment-desk'] = array(
					'exporter_friendly_name' => __( 'Comment Desk', 'comment-desk' ),
					'callback'               => array( __CLASS__, 'export' ),
				);
				return $exporters;
			}
		);
		add_filter(
			'wp_privacy_personal_data_erasers',
			static function ( $erasers ) {
				$erasers['comment-desk'] = array(
					'eraser_friendly_name' => __( 'Comment Desk', 'comment-desk' ),
					'callback'             => array( __CLASS__, 'erase' ),
				);
				return $erasers;
			}
		);
		add_action( 'admin_init', array( __CLASS__, 'suggest_policy' ) );
	}

	/**
	 * What the desk decided about each of a person's comments; the texts are in WordPress's own export.
	 *
	 * @param string $email Address.
	 * @param int    $page  From 1.
	 * @return array
	 */
	public static function export( $email, $page = 1 ) {
		$comments = self::comments_of( $email, $page );
		$items    = array();
		foreach ( $comments as $comment ) {
			$verdict = get_comment_meta( $comment->comment_ID, Comment_Desk_Comments::VERDICT, true );
			if ( ! is_array( $verdict ) || ! isset( $verdict['verdict'] ) ) {
				continue;
			}
			$items[] = array(
				'group_id'    => 'comment-desk',
				'group_label' => __( 'Comment Desk', 'comment-desk' ),
				'item_id'     => 'comment-' . $comment->comment_ID,
				'data'        => array(
					array(
						'name'  => __( 'Verdict', 'comment-desk' ),
						'value' => $verdict['verdict'],
					),
					array(
						'name'  => __( 'Reasons', 'comment-desk' ),
						'value' => implode( ' ', wp_list_pluck( $verdict['reasons'], 'message' ) ),
					),
				),
			);
		}
		return array(
			'data' => $items,
			'done' => count( $comments ) < self::AT_ONCE,
		);
	}

	/**
	 * Let the desk erase the person, then forget what it said here.
	 *
	 * @param string $email Address.
	 * @param int    $page  From 1.
	 * @return array
	 */
	public static function erase( $email, $page = 1 ) {
		$done = array(
			'items_removed'  => false,
			'items_retained' => false,
			'messages'       => array(),
			'done'           => true,
		);
		if ( ! Comment_Desk_Settings::is_complete() ) {
			return $done;
		}
		if ( 1 === (int) $page ) {
			$answer = Comment_Desk_Client::call( 'POST', '/v1/erasures', array( 'email' => $email ) );
			if ( $answer['status'] < 200 || $answer['status'] > 299 ) {
				$done['items_retained'] = true;
				$done['messages'][]     = __( 'The comment desk could not be reached, or refused: nothing was erased there. Try again.', 'comment-desk' );
				return $done;
			}
			$done['items_removed'] = true;
		}
		$comments = self::comments_of( $email, $page );
		foreach ( $comments as $comment ) {
			$done['items_removed'] = delete_comment_meta( $comment->comment_ID, Comment_Desk_Comments::VERDICT ) || $done['items_removed'];
		}
		$done['done'] = count( $comments ) < self::AT_ONCE;
		return $done;
	}

	/**
	 * Words for the site's privacy policy.
	 */
	public static function suggest_policy() {
		if ( function_exists( 'wp_add_privacy_policy_content' ) ) {
			wp_add_privacy_policy_content(
				__( 'Comment Desk', 'comment-desk' ),
				wp_kses_post( wpautop( __( 'Comments, with the name, e-mail address, website, IP address and browser of their authors, are sent to a comment desk that this site runs itself. It decides by rules and by a statistical model which comments appear, which wait for a person and which do not appear. The e-mail address is stored encrypted and never published; the IP address is kept for days.', 'comment-desk' ) ) )
			);
		}
	}

	/**
	 * A page of a person's comments.
	 *
	 * @param string $email Address.
	 * @param int    $page  From 1.
	 * @return WP_Comment[]
	 */
	private static function comments_of( $email, $page ) {
		return get_comments(
			array(
				'author_email' => $email,
				'number'       => self::AT_ONCE,
				'paged'        => max( 1, (int) $page ),
				'orderby'      => 'comment_ID',
				'order'        => 'ASC',
				'status'       => 'any',
			)
		);
	}
}

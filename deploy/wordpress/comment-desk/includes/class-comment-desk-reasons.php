<?php
/**
 * Reasons in the language of whoever looks.
 *
 * @package Comment_Desk
 */

defined( 'ABSPATH' ) || exit;

/**
 * The words for each code of the desk, the same as the desk's own.
 */
class Comment_Desk_Reasons {

	/**
	 * Say one reason in the language of the person who looks; in the desk's words where the code is newer than this plugin.
	 *
	 * @param array $reason Its `code`, and the `message` that the desk gave with it.
	 * @return string
	 */
	public static function words( $reason ) {
		$words = self::all();
		return isset( $words[ $reason['code'] ] ) ? $words[ $reason['code'] ] : $reason['message'];
	}

	/**
	 * Words by code.
	 *
	 * @return array
	 */
	private static function all() {
		return array(
			'premoderation'    => __( 'Every comment on this site waits for approval.', 'comment-desk' ),
			'first_comment'    => __( 'This author\'s first comment.', 'comment-desk' ),
			'spam'             => __( 'Looks like spam.', 'comment-desk' ),
			'abuse'            => __( 'Looks abusive.', 'comment-desk' ),
			'insult'           => __( 'Insults a person.', 'comment-desk' ),
			'obscene'          => __( 'Obscene language.', 'comment-desk' ),
			'threat'           => __( 'A threat.', 'comment-desk' ),
			'hate'             => __( 'Hate against a group.', 'comment-desk' ),
			'banned_word'      => __( 'Contains a word that this site does not allow.', 'comment-desk' ),
			'link_limit'       => __( 'More links than allowed.', 'comment-desk' ),
			'duplicate'        => __( 'The same text was sent before.', 'comment-desk' ),
			'flood'            => __( 'Too many comments in a short time.', 'comment-desk' ),
			'blocked_author'   => __( 'The author is blocked on this site.', 'comment-desk' ),
			'not_scored'       => __( 'The classifier could not judge it yet.', 'comment-desk' ),
			'unknown_language' => __( 'A language that the classifier does not know.', 'comment-desk' ),
			'likely_reject'    => __( 'Resembles what this site\'s moderators rejected.', 'comment-desk' ),
			'honeypot'         => __( 'A hidden field that readers do not see was filled in, as programs do.', 'comment-desk' ),
			'too_fast'         => __( 'The form was sent faster than a person types, or without a valid stamp.', 'comment-desk' ),
			'form_nonce'       => __( 'Not sent from the site\'s own form, or from a page that had grown old.', 'comment-desk' ),
			'partly_read'      => __( 'Longer than what can be judged; its end was not read.', 'comment-desk' ),
			'unconfirmed'      => __( 'The site never confirmed that it kept this comment, so it left the queue.', 'comment-desk' ),
			'off_topic'        => __( 'Off topic.', 'comment-desk' ),
			'illegal'          => __( 'Against the law.', 'comment-desk' ),
			'other'            => __( 'Another reason.', 'comment-desk' ),
		);
	}
}

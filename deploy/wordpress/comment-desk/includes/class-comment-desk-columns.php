<?php
/**
 * Verdict and reasons in the list of comments.
 *
 * @package Comment_Desk
 */

defined( 'ABSPATH' ) || exit;

/**
 * One column.
 */
class Comment_Desk_Columns {

	/**
	 * Hook in.
	 */
	public static function register() {
		add_filter( 'manage_edit-comments_columns', array( __CLASS__, 'add' ) );
		add_action( 'manage_comments_custom_column', array( __CLASS__, 'show' ), 10, 2 );
		add_action( 'admin_head-edit-comments.php', array( __CLASS__, 'style' ) );
	}

	/**
	 * Add the column before the date.
	 *
	 * @param array $columns Columns.
	 * @return array
	 */
	public static function add( $columns ) {
		$with = array();
		foreach ( $columns as $name => $title ) {
			if ( 'date' === $name ) {
				$with['comment_desk'] = __( 'Comment Desk', 'comment-desk' );
			}
			$with[ $name ] = $title;
		}
		return isset( $with['comment_desk'] ) ? $with : $with + array( 'comment_desk' => __( 'Comment Desk', 'comment-desk' ) );
	}

	/**
	 * Draw one cell.
	 *
	 * @param string $column     Column.
	 * @param int    $comment_id Comment.
	 */
	public static function show( $column, $comment_id ) {
		if ( 'comment_desk' !== $column ) {
			return;
		}
		if ( get_comment_meta( $comment_id, Comment_Desk_Comments::PENDING, true ) ) {
			echo '<em>' . esc_html__( 'The desk could not be reached; it will be asked again.', 'comment-desk' ) . '</em>';
			return;
		}
		$verdict = get_comment_meta( $comment_id, Comment_Desk_Comments::VERDICT, true );
		if ( ! is_array( $verdict ) ) {
			echo '<span aria-hidden="true">—</span><span class="screen-reader-text">' . esc_html__( 'Not sent to the desk', 'comment-desk' ) . '</span>';
			return;
		}
		if ( isset( $verdict['error'] ) ) {
			echo '<strong>' . esc_html__( 'Refused by the desk', 'comment-desk' ) . '</strong><br>' . esc_html( $verdict['error'] );
			return;
		}
		self::show_verdict( $verdict );
	}

	/**
	 * The verdict, its reasons and the scores.
	 *
	 * @param array $verdict As `Comment_Desk_Comments::remember` keeps it.
	 */
	private static function show_verdict( $verdict ) {
		$words = array(
			'approve' => __( 'Approved', 'comment-desk' ),
			'hold'    => __( 'Held', 'comment-desk' ),
			'reject'  => __( 'Rejected', 'comment-desk' ),
		);
		$by    = array(
			'service'   => __( 'by the desk', 'comment-desk' ),
			'moderator' => __( 'by a moderator at the desk', 'comment-desk' ),
			'site'      => __( 'by this site', 'comment-desk' ),
		);
		$word  = isset( $words[ $verdict['verdict'] ] ) ? $words[ $verdict['verdict'] ] : __( 'Withdrawn', 'comment-desk' );
		printf(
			'<strong class="comment-desk-%1$s">%2$s</strong> %3$s',
			esc_attr( $verdict['verdict'] ),
			esc_html( $word ),
			esc_html( isset( $by[ $verdict['by'] ] ) ? $by[ $verdict['by'] ] : '' )
		);
		if ( $verdict['reasons'] ) {
			echo '<ul class="comment-desk-reasons">';
			foreach ( $verdict['reasons'] as $reason ) {
				printf( '<li title="%s"><bdi>%s</bdi></li>', esc_attr( $reason['code'] ), esc_html( Comment_Desk_Reasons::words( $reason ) ) );
			}
			echo '</ul>';
		}
		self::show_scores( $verdict['scores'] );
	}

	/**
	 * Spam and abuse in percent.
	 *
	 * @param array $scores Probabilities.
	 */
	private static function show_scores( $scores ) {
		$names = array(
			'spam'  => __( 'spam', 'comment-desk' ),
			'abuse' => __( 'abuse', 'comment-desk' ),
		);
		$shown = array();
		foreach ( $names as $key => $name ) {
			if ( isset( $scores[ $key ] ) ) {
				/* translators: 1: kind of fault, 2: a whole number of percent. */
				$shown[] = sprintf( __( '%1$s %2$s%%', 'comment-desk' ), $name, number_format_i18n( round( 100 * $scores[ $key ] ) ) );
			}
		}
		if ( $shown ) {
			echo '<span class="comment-desk-scores">' . esc_html( implode( ' · ', $shown ) ) . '</span>';
		}
	}

	/**
	 * A little style; logical properties, so that it is right from right to left as well.
	 */
	public static function style() {
		echo '<style>.column-comment_desk{width:16em}.comment-desk-reasons{margin:.3em 0;padding-inline-start:1.2em;list-style:disc}.comment-desk-scores{color:#646970}.comment-desk-reject{color:#b32d2e}.comment-desk-approve{color:#00702c}</style>';
	}
}

<?php
/**
 * The settings page.
 *
 * @package Comment_Desk
 */

defined( 'ABSPATH' ) || exit;

/**
 * Settings → Comment Desk.
 */
class Comment_Desk_Admin {

	const PAGE = 'comment-desk';

	/**
	 * Hook in.
	 */
	public static function register() {
		add_action( 'admin_menu', array( __CLASS__, 'menu' ) );
		add_action( 'admin_init', array( __CLASS__, 'fields' ) );
		add_action( 'admin_post_comment_desk_verify', array( __CLASS__, 'verify' ) );
		add_action( 'admin_notices', array( __CLASS__, 'full_outbox' ) );
		add_filter(
			'plugin_action_links_' . plugin_basename( COMMENT_DESK_FILE ),
			static function ( $links ) {
				array_unshift( $links, '<a href="' . esc_url( self::url() ) . '">' . esc_html__( 'Settings', 'comment-desk' ) . '</a>' );
				return $links;
			}
		);
	}

	/**
	 * Address of the page.
	 *
	 * @return string
	 */
	public static function url() {
		return admin_url( 'options-general.php?page=' . self::PAGE );
	}

	/**
	 * Add the page.
	 */
	public static function menu() {
		add_options_page( __( 'Comment Desk', 'comment-desk' ), __( 'Comment Desk', 'comment-desk' ), 'manage_options', self::PAGE, array( __CLASS__, 'page' ) );
	}

	/**
	 * Register setting and fields.
	 */
	public static function fields() {
		register_setting( 'comment_desk', Comment_Desk_Settings::OPTION, array( 'sanitize_callback' => array( 'Comment_Desk_Settings', 'sanitize' ) ) );
		add_settings_section( 'comment_desk', '', '__return_false', self::PAGE );
		$fields = array(
			'address'     => array( __( 'Address of the desk', 'comment-desk' ), array( __CLASS__, 'address_field' ) ),
			'key'         => array( __( 'Site key', 'comment-desk' ), array( __CLASS__, 'secret_field' ) ),
			'secret'      => array( __( 'Webhook secret', 'comment-desk' ), array( __CLASS__, 'secret_field' ) ),
			'akismet_key' => array( __( 'Key for the Akismet plugin', 'comment-desk' ), array( __CLASS__, 'secret_field' ) ),
			'outage'      => array( __( 'When the desk cannot be reached', 'comment-desk' ), array( __CLASS__, 'outage_field' ) ),
			'timeout_s'   => array( __( 'Wait for the desk', 'comment-desk' ), array( __CLASS__, 'timeout_field' ) ),
		);
		foreach ( $fields as $name => $field ) {
			add_settings_field(
				"comment_desk_$name",
				$field[0],
				$field[1],
				self::PAGE,
				'comment_desk',
				array(
					'name'      => $name,
					'label_for' => "comment_desk_$name",
				)
			);
		}
	}

	/**
	 * Draw the page.
	 */
	public static function page() {
		echo '<style>.comment-desk-code{display:inline-block;max-width:100%;box-sizing:border-box;overflow-x:auto;white-space:nowrap;vertical-align:bottom}</style>';
		echo '<div class="wrap"><h1>' . esc_html__( 'Comment Desk', 'comment-desk' ) . '</h1>';
		self::verified();
		echo '<form method="post" action="options.php">';
		settings_fields( 'comment_desk' );
		do_settings_sections( self::PAGE );
		submit_button();
		echo '</form>';
		self::connection();
		self::history();
		echo '</div>';
	}

	/**
	 * The address.
	 *
	 * @param array $field Field.
	 */
	public static function address_field( $field ) {
		printf(
			'<input type="url" class="regular-text ltr" dir="ltr" id="%1$s" name="%2$s[address]" value="%3$s" placeholder="https://moderation.example" %4$s>',
			esc_attr( $field['label_for'] ),
			esc_attr( Comment_Desk_Settings::OPTION ),
			esc_attr( Comment_Desk_Settings::get( 'address' ) ),
			disabled( Comment_Desk_Settings::is_fixed( 'address' ), true, false )
		);
	}

	/**
	 * A secret: shown by nothing but the fact that it is there.
	 *
	 * @param array $field Field.
	 */
	public static function secret_field( $field ) {
		$name   = $field['name'];
		$is_set = '' !== (string) Comment_Desk_Settings::get( $name );
		printf(
			'<input type="password" class="regular-text ltr" dir="ltr" autocomplete="off" id="%1$s" name="%2$s[%3$s]" value="" placeholder="%4$s" %5$s>',
			esc_attr( $field['label_for'] ),
			esc_attr( Comment_Desk_Settings::OPTION ),
			esc_attr( $name ),
			$is_set ? esc_attr__( 'stored; leave blank to keep it', 'comment-desk' ) : '',
			disabled( Comment_Desk_Settings::is_fixed( $name ), true, false )
		);
		if ( $is_set && ! Comment_Desk_Settings::is_fixed( $name ) ) {
			printf(
				'<p><label><input type="checkbox" name="%1$s[forget_%2$s]" value="1"> %3$s</label></p>',
				esc_attr( Comment_Desk_Settings::OPTION ),
				esc_attr( $name ),
				esc_html__( 'forget it', 'comment-desk' )
			);
		}
		$help = array(
			/* translators: 1: a command, 2: what it prints. */
			'key'         => sprintf( esc_html__( 'What %1$s printed as %2$s.', 'comment-desk' ), self::code( 'moderation site add' ), self::code( 'key (mds_…)' ) ),
			/* translators: %s: what a command prints. */
			'secret'      => sprintf( esc_html__( 'What it printed as %s. While one is being replaced: both, with a space between.', 'comment-desk' ), self::code( 'webhook_secret (whsec_…)' ) ),
			/* translators: %s: a command. */
			'akismet_key' => sprintf( esc_html__( 'Only if you keep the Akismet plugin: from %s. Then Akismet asks the desk, and this plugin does not ask twice.', 'comment-desk' ), self::code( 'moderation site key add SITE --dialect akismet' ) ),
		);
		echo '<p class="description">' . wp_kses(
			$help[ $name ],
			array(
				'code' => array(
					'dir'   => true,
					'class' => true,
				),
			)
		) . '</p>';
	}

	/**
	 * What is typed or printed in a terminal: from left to right in every language.
	 *
	 * @param string $words Command or output.
	 * @return string HTML.
	 */
	private static function code( $words ) {
		return '<code dir="ltr" class="ltr comment-desk-code">' . esc_html( $words ) . '</code>';
	}

	/**
	 * Hold or publish.
	 *
	 * @param array $field Field.
	 */
	public static function outage_field( $field ) {
		$choices = array(
			'hold'    => __( 'hold the comment until the desk has judged it', 'comment-desk' ),
			'publish' => __( 'do what WordPress would do without the desk', 'comment-desk' ),
		);
		printf( '<select id="%1$s" name="%2$s[outage]" %3$s>', esc_attr( $field['label_for'] ), esc_attr( Comment_Desk_Settings::OPTION ), disabled( Comment_Desk_Settings::is_fixed( 'outage' ), true, false ) );
		foreach ( $choices as $value => $words ) {
			printf( '<option value="%1$s" %2$s>%3$s</option>', esc_attr( $value ), selected( Comment_Desk_Settings::get( 'outage' ), $value, false ), esc_html( $words ) );
		}
		echo '</select><p class="description">' . esc_html__( 'Either way it is sent again until the desk has it.', 'comment-desk' ) . '</p>';
	}

	/**
	 * Seconds.
	 *
	 * @param array $field Field.
	 */
	public static function timeout_field( $field ) {
		printf(
			'<input type="number" min="1" max="30" class="small-text" id="%1$s" name="%2$s[timeout_s]" value="%3$d" %4$s> %5$s',
			esc_attr( $field['label_for'] ),
			esc_attr( Comment_Desk_Settings::OPTION ),
			(int) Comment_Desk_Settings::get( 'timeout_s' ),
			disabled( Comment_Desk_Settings::is_fixed( 'timeout_s' ), true, false ),
			esc_html__( 'seconds', 'comment-desk' )
		);
	}

	/**
	 * Ask the desk whether it knows us, and come back with its answer.
	 */
	public static function verify() {
		if ( ! current_user_can( 'manage_options' ) ) {
			wp_die( esc_html__( 'You may not do this.', 'comment-desk' ), '', array( 'response' => 403 ) );
		}
		check_admin_referer( 'comment_desk_verify' );
		$answer = Comment_Desk_Client::call( 'GET', '/v1/events?after=0&limit=1' );
		$words  = array(
			0   => 'away',
			200 => 'good',
			401 => 'key',
			403 => 'key',
			409 => 'good',
			503 => 'busy',
		);
		$result = isset( $words[ $answer['status'] ] ) ? $words[ $answer['status'] ] : 'other';
		wp_safe_redirect( add_query_arg( 'comment_desk_verified', $result, self::url() ) );
		exit;
	}

	/**
	 * What came of it.
	 */
	private static function verified() {
		// phpcs:ignore WordPress.Security.NonceVerification.Recommended -- chooses one of five sentences.
		$result = isset( $_GET['comment_desk_verified'] ) ? sanitize_key( $_GET['comment_desk_verified'] ) : '';
		$words  = array(
			'good'  => __( 'The desk answers and knows this site.', 'comment-desk' ),
			'away'  => __( 'The desk does not answer at this address.', 'comment-desk' ),
			'key'   => __( 'The desk answers, but does not know this key.', 'comment-desk' ),
			'busy'  => __( 'The desk answers, but has no database at the moment.', 'comment-desk' ),
			'other' => __( 'Something answers at this address, but it is no desk.', 'comment-desk' ),
		);
		if ( isset( $words[ $result ] ) ) {
			printf( '<div class="notice notice-%1$s"><p>%2$s</p></div>', 'good' === $result ? 'success' : 'error', esc_html( $words[ $result ] ) );
		}
	}

	/**
	 * The button to verify, the address of our ears, and what waits.
	 */
	private static function connection() {
		echo '<h2>' . esc_html__( 'Connection', 'comment-desk' ) . '</h2>';
		if ( Comment_Desk_Settings::is_complete() ) {
			echo '<form method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '"><p>';
			wp_nonce_field( 'comment_desk_verify' );
			echo '<input type="hidden" name="action" value="comment_desk_verify">';
			echo '<button class="button">' . esc_html__( 'Verify', 'comment-desk' ) . '</button></p></form>';
		}
		echo '<p>' . esc_html__( 'Tell the desk where this site hears of decisions:', 'comment-desk' ) . '</p>';
		echo '<p><code class="ltr comment-desk-code" dir="ltr">moderation site set SITE webhook_url=' . esc_html( Comment_Desk_Settings::events_url() ) . '</code></p>';
		if ( Comment_Desk_Akismet::is_repointed() ) {
			echo '<p>' . esc_html__( 'The Akismet plugin is pointed at the desk.', 'comment-desk' ) . '</p>';
		}
		/* translators: 1: number of comments, 2: number of messages. */
		echo '<p>' . esc_html( sprintf( __( 'Waiting for the desk: comments: %1$s; decisions, edits and deletions: %2$s.', 'comment-desk' ), number_format_i18n( Comment_Desk_Outbox::count_pending() ), number_format_i18n( Comment_Desk_Outbox::count() ) ) ) . '</p>';
	}

	/**
	 * How far the history is.
	 */
	private static function history() {
		$progress = Comment_Desk_History::progress();
		echo '<h2>' . esc_html__( 'History', 'comment-desk' ) . '</h2>';
		/* translators: 1: number of comments sent, 2: number refused. */
		echo '<p>' . esc_html( sprintf( __( 'Sent: %1$s; refused by the desk: %2$s.', 'comment-desk' ), number_format_i18n( $progress['sent'] ), number_format_i18n( $progress['refused'] ) ) ) . ' ';
		if ( 'running' === $progress['state'] ) {
			esc_html_e( 'It goes on in the background.', 'comment-desk' );
			if ( '' !== $progress['problem'] ) {
				echo ' ' . esc_html__( 'The desk did not take the last part; it is sent again.', 'comment-desk' );
			}
		} elseif ( 'done' === $progress['state'] ) {
			esc_html_e( 'Done.', 'comment-desk' );
		}
		echo '</p>';
		if ( Comment_Desk_Settings::is_complete() && 'running' !== $progress['state'] ) {
			echo '<form method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '"><p>';
			wp_nonce_field( 'comment_desk_history' );
			echo '<input type="hidden" name="action" value="comment_desk_history">';
			echo '<button class="button" name="choice" value="start">' . esc_html__( 'Send the history', 'comment-desk' ) . '</button></p></form>';
		}
	}

	/**
	 * Tell who may do something about it that decisions no longer fit into the outbox.
	 */
	public static function full_outbox() {
		if ( current_user_can( 'manage_options' ) && Comment_Desk_Outbox::count() >= Comment_Desk_Outbox::MOST ) {
			echo '<div class="notice notice-error"><p>' . esc_html__( 'Comment Desk: too many decisions wait for the desk. What moderators decide from now on is not told to it. Check the connection.', 'comment-desk' ) . '</p></div>';
		}
	}
}

<?php
/**
 * What the site's admin chose.
 *
 * @package Comment_Desk
 */

defined( 'ABSPATH' ) || exit;

/**
 * Reads the settings; constants in wp-config.php win, so that secrets need not lie in the database.
 */
class Comment_Desk_Settings {

	const OPTION = 'comment_desk';

	const DEFAULTS = array(
		'address'     => '',
		'key'         => '',
		'secret'      => '',
		'akismet_key' => '',
		'outage'      => 'hold',
		'timeout_s'   => 5,
	);

	/**
	 * Return one setting.
	 *
	 * @param string $name One of the keys of DEFAULTS.
	 * @return string|int
	 */
	public static function get( $name ) {
		$constant = 'COMMENT_DESK_' . strtoupper( $name );
		if ( defined( $constant ) ) {
			return constant( $constant );
		}
		$stored = get_option( self::OPTION, array() );
		return is_array( $stored ) && isset( $stored[ $name ] ) ? $stored[ $name ] : self::DEFAULTS[ $name ];
	}

	/**
	 * Whether a setting is fixed in wp-config.php.
	 *
	 * @param string $name Setting.
	 * @return bool
	 */
	public static function is_fixed( $name ) {
		return defined( 'COMMENT_DESK_' . strtoupper( $name ) );
	}

	/**
	 * Whether there is an address and a key.
	 *
	 * @return bool
	 */
	public static function is_complete() {
		return '' !== (string) self::get( 'address' ) && '' !== (string) self::get( 'key' );
	}

	/**
	 * The secrets that events may be signed with; several while one is being replaced.
	 *
	 * @return string[]
	 */
	public static function secrets() {
		return preg_split( '/\s+/', (string) self::get( 'secret' ), -1, PREG_SPLIT_NO_EMPTY );
	}

	/**
	 * The address at which this site hears of decisions.
	 *
	 * @return string
	 */
	public static function events_url() {
		return rest_url( 'comment-desk/v1/events' );
	}

	/**
	 * Clean what the settings page sent. A secret left blank keeps the stored one: pages never show it.
	 *
	 * @param mixed $given The posted values.
	 * @return array
	 */
	public static function sanitize( $given ) {
		$given  = is_array( $given ) ? $given : array();
		$stored = get_option( self::OPTION, array() );
		$stored = array_merge( self::DEFAULTS, is_array( $stored ) ? $stored : array() );
		$clean  = $stored;
		if ( isset( $given['address'] ) ) {
			$clean['address'] = untrailingslashit( esc_url_raw( trim( (string) $given['address'] ), array( 'https', 'http' ) ) );
		}
		foreach ( array( 'key', 'secret', 'akismet_key' ) as $name ) {
			$value = isset( $given[ $name ] ) ? sanitize_text_field( (string) $given[ $name ] ) : '';
			if ( '' !== $value ) {
				$clean[ $name ] = $value;
			}
			if ( ! empty( $given[ 'forget_' . $name ] ) ) {
				$clean[ $name ] = '';
			}
		}
		if ( isset( $given['outage'] ) ) {
			$clean['outage'] = 'publish' === $given['outage'] ? 'publish' : 'hold';
		}
		if ( isset( $given['timeout_s'] ) ) {
			$clean['timeout_s'] = max( 1, min( 30, (int) $given['timeout_s'] ) );
		}
		return $clean;
	}
}

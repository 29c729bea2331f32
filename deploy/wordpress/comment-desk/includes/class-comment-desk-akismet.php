<?php
/**
 * Where the stock Akismet plugin is active, it is pointed at the desk, which speaks its language.
 *
 * @package Comment_Desk
 */

defined( 'ABSPATH' ) || exit;

/**
 * Rewrites the one host name that the plugin knows.
 */
class Comment_Desk_Akismet {

	const HOST = 'rest.akismet.com';

	/**
	 * Hook in.
	 */
	public static function register() {
		add_filter( 'pre_http_request', array( __CLASS__, 'redirect' ), 10, 3 );
		add_filter( 'akismet_get_api_key', array( __CLASS__, 'key' ) );
	}

	/**
	 * Whether the plugin is there and has a key of the desk; then it asks, and this plugin does not ask twice.
	 *
	 * @return bool
	 */
	public static function is_repointed() {
		return class_exists( 'Akismet' ) && '' !== (string) Comment_Desk_Settings::get( 'akismet_key' ) && '' !== (string) Comment_Desk_Settings::get( 'address' );
	}

	/**
	 * Give the plugin the desk's key, unless wp-config.php names one.
	 *
	 * @param string|false $key Its own.
	 * @return string|false
	 */
	public static function key( $key ) {
		return self::is_repointed() ? (string) Comment_Desk_Settings::get( 'akismet_key' ) : $key;
	}

	/**
	 * Send its requests to the desk. The host it meant goes along: an old plugin's key is in it.
	 *
	 * @param false|array|WP_Error $answer  Somebody else's answer.
	 * @param array                $request Arguments.
	 * @param string               $url     Address.
	 * @return false|array|WP_Error
	 */
	public static function redirect( $answer, $request, $url ) {
		$parts = wp_parse_url( $url );
		$host  = isset( $parts['host'] ) ? strtolower( $parts['host'] ) : '';
		if ( false !== $answer || ! self::is_repointed() || ( self::HOST !== $host && '.' . self::HOST !== substr( $host, -strlen( '.' . self::HOST ) ) ) ) {
			return $answer;
		}
		$path = ( isset( $parts['path'] ) ? $parts['path'] : '/' ) . ( isset( $parts['query'] ) ? '?' . $parts['query'] : '' );

		$request['headers']         = is_array( $request['headers'] ) ? $request['headers'] : array();
		$request['headers']['Host'] = $host;
		// Through TLS or not is what the desk's own address says; the plugin's fallback to plain HTTP does not count.
		return wp_remote_request( Comment_Desk_Settings::get( 'address' ) . $path, $request );
	}
}
